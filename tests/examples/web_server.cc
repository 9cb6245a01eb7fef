// A web server in the background, asked by another command of the same sandbox, then killed.

#include <sandbox/runtime.h>

#include <iostream>

using namespace std::chrono_literals;

// `until`, because the server needs a moment; Python for machines without curl.
constexpr const char* kFetch = R"(
fetch() {
  if command -v curl > /dev/null; then
    curl -sf http://localhost:8080/index.html
  else
    python3 -c 'import urllib.request as u; print(u.urlopen("http://localhost:8080").read().decode())'
  fi
}
until fetch 2> /dev/null; do sleep 0.1; done)";

int main() {
  sandbox::Runtime runtime;
  sandbox::Sandbox box = runtime.create();  // With a network of its own: port 8080 is free.

  box.files().write("site/index.html", "<h1>Hello</h1>\n");
  sandbox::Process server =
      box.commands().start({.argv = {"python3", "-m", "http.server", "8080"}, .cwd = "site"});

  std::cout << box.commands().run(kFetch, {.timeout = 30s}).stdout_text;

  server.kill(SIGTERM);
  std::cout << "The server was " << to_string(server.wait()) << '\n';
}
