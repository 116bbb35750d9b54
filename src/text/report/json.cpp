// SPDX-License-Identifier: MIT
#include "text/report/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vmsa::text {

json_value::json_value() = default;
json_value::json_value(json_value const&) = default;
json_value::json_value(json_value&&) noexcept = default;
json_value& json_value::operator=(json_value const&) = default;
json_value& json_value::operator=(json_value&&) noexcept = default;
json_value::~json_value() = default;

json_value::json_value(kind k) : kind_(k) {}
json_value::json_value(bool v) : kind_(kind::boolean), number_(v ? 1 : 0) {}
json_value::json_value(double v) : kind_(kind::real), real_(v) {}
json_value::json_value(u64 bits, bool negative) : kind_(negative ? kind::negative : kind::number), number_(bits) {}
json_value::json_value(char const* v) : json_value(std::string(v)) {}
json_value::json_value(std::string_view v) : json_value(std::string(v)) {}
json_value::json_value(std::string v) : kind_(kind::string), text_(std::move(v)) {}

json_value::json_value(std::initializer_list<json_value> parts) {
  bool const keys = std::all_of(parts.begin(), parts.end(), [](json_value const& p) {
    return p.kind_ == kind::array && p.size() == 2 && p.front().kind_ == kind::string;
  });
  *this = keys ? object(parts) : array(parts);
}

json_value json_value::array(std::initializer_list<json_value> items) {
  json_value out(kind::array);
  out.items_ = items;
  return out;
}

json_value json_value::object(std::initializer_list<json_value> keys) {
  json_value out(kind::object);
  for (json_value const& pair : keys) out[pair.items_[0].text_] = pair.items_[1];
  return out;
}

json_value& json_value::operator[](std::string_view key) {
  if (kind_ == kind::null) kind_ = kind::object;
  auto const at = std::find(keys_.begin(), keys_.end(), key);
  if (at != keys_.end()) return items_[static_cast<std::size_t>(at - keys_.begin())];
  keys_.emplace_back(key);
  return items_.emplace_back();
}

void json_value::push_back(json_value item) {
  if (kind_ == kind::null) kind_ = kind::array;
  items_.push_back(std::move(item));
}

void json_value::update(json_value const& other) {
  for (std::size_t i = 0; i < other.keys_.size(); ++i) (*this)[other.keys_[i]] = other.items_[i];
}

struct json_value::printer {
  static nlohmann::ordered_json of(json_value const& j) {
    switch (j.kind_) {
      case kind::null: return nullptr;
      case kind::boolean: return j.number_ != 0;
      case kind::number: return j.number_;
      case kind::negative: return static_cast<std::int64_t>(j.number_);
      case kind::real: return j.real_;
      case kind::string: return j.text_;
      case kind::array: {
        auto out = nlohmann::ordered_json::array();
        for (json_value const& item : j.items_) out.push_back(of(item));
        return out;
      }
      case kind::object: break;
    }
    auto out = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < j.keys_.size(); ++i) out.emplace(j.keys_[i], of(j.items_[i]));
    return out;
  }
};

std::string json_value::dump(int indent, bool ascii) const {
  return printer::of(*this).dump(indent, ' ', ascii, nlohmann::ordered_json::error_handler_t::replace);
}

json_value answer_json(std::string_view subcommand, unsigned version) {
  return {{"schema", fmt::format("vmsa.{}/{}", subcommand, version)}};
}

std::string json_text(json_value const& j) { return j.dump(2, true) + "\n"; }

}  // namespace vmsa::text
