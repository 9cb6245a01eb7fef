#include "templates/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <set>
#include <sstream>
#include <utility>

#include "sandbox/error.h"
#include "sandbox/text.h"

namespace sandbox {
namespace {

constexpr std::size_t kLargest = 1 << 20;
constexpr std::size_t kDeepest = 16;

// Builds the tree from the parser's events. Not from its own nodes: those hide aliases and
// duplicate keys.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& file) : file_(file) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(YamlNode::Kind::Null, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse_yaml(file_, make(YamlNode::Kind::Null, mark, YAML::NullAnchor),
                "aliases (*name) are not allowed; repeat the value");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = make(YamlNode::Kind::Text, mark, anchor);
    require_no_tag(node, tag);
    node.text = value;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(YamlNode::Kind::List, mark, anchor), tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(make(YamlNode::Kind::Map, mark, anchor), tag);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    YamlNode node;
    std::set<std::string> keys;
    bool has_key = false;
    YamlNode key;
  };

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) const {
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    if (anchor != YAML::NullAnchor) {
      refuse_yaml(file_, node, "anchors (&name) are not allowed; repeat the value");
    }
    return node;
  }

  // "?" is a plain value, "!" a quoted one.
  void require_no_tag(const YamlNode& node, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    refuse_yaml(file_, node, "tags (!name) are not allowed");
  }

  void open(YamlNode node, const std::string& tag) {
    require_no_tag(node, tag);
    if (levels_.size() >= kDeepest) refuse_yaml(file_, node, "it is nested too deeply");
    levels_.emplace_back().node = std::move(node);
  }

  void close() {
    YamlNode node = std::move(levels_.back().node);
    levels_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == YamlNode::Kind::List) {
      level.node.items.push_back(std::move(node));
    } else if (!level.has_key) {
      add_key(level, std::move(node));
    } else {
      if (node.kind == YamlNode::Kind::Null) {  // What is missing is missing behind its key.
        node.line = level.key.line;
        node.column = level.key.column;
      }
      level.node.entries.push_back({std::move(level.key), std::move(node)});
      level.has_key = false;
    }
  }

  void add_key(Level& level, YamlNode key) const {
    if (key.kind != YamlNode::Kind::Text) refuse_yaml(file_, key, "a key has to be a word");
    if (!level.keys.insert(key.text).second) {
      refuse_yaml(file_, key, "the key `" + key.text + "` is there twice");
    }
    level.key = std::move(key);
    level.has_key = true;
  }

  const std::string& file_;
  std::vector<Level> levels_;
  YamlNode root_;
};

// The place of a byte, for what the parser would not see.
YamlNode place_of(std::string_view text, std::size_t offset) {
  YamlNode place;
  for (const char c : text.substr(0, offset)) {
    place.column = c == '\n' ? 1 : place.column + 1;
    if (c == '\n') ++place.line;
  }
  return place;
}

void require_text(std::string_view text, const std::string& file) {
  if (text.size() > kLargest) refuse_yaml(file, {}, "it has more than 1 MiB");
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool white = byte == '\n' || byte == '\r' || byte == '\t';
    if ((byte < ' ' && !white) || byte == 0x7f) {
      refuse_yaml(file, place_of(text, at), "there is a control character; is this a text?");
    }
  }
  if (!is_utf8(text)) refuse_yaml(file, {}, "it is not UTF-8");
}

}  // namespace

void refuse_yaml(const std::string& file, const YamlNode& at, const std::string& why) {
  const std::string place = file + ':' + std::to_string(at.line) + ':' + std::to_string(at.column);
  throw Error(EINVAL, "parse", place, why);
}

YamlNode parse_yaml(std::string_view text, const std::string& file) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  require_text(text, file);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    TreeBuilder tree(file);
    if (!parser.HandleNextDocument(tree)) refuse_yaml(file, {}, "it is empty");
    TreeBuilder second(file);
    if (parser.HandleNextDocument(second)) {
      refuse_yaml(file, second.take(), "there is a second document");
    }
    return tree.take();
  } catch (const YAML::Exception& error) {
    YamlNode at;
    at.line = error.mark.line + 1;
    at.column = error.mark.column + 1;
    refuse_yaml(file, at, error.msg);
  }
}

}  // namespace sandbox
