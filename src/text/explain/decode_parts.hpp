// SPDX-License-Identifier: MIT
// How `decode` reads its words and options, and what it does with descriptors.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "text/explain/explain_fields.hpp"
#include "vmsa/text/explain/decode.hpp"

namespace vmsa::text {

[[noreturn]] void fail(std::string problem, std::string valid);
// What is quoted in an error: long or unprintable input is cut and shown as `?`.
std::string quote(std::string_view text);
std::string_view trim(std::string_view text);
std::optional<bool> parse_switch(std::string_view option, std::string_view text);
granule parse_granule(std::string_view text);
processor parse_processor(decode_options const& options);

// How the options say a descriptor is to be read. `level`: what the text itself says, empty when it does not.
descriptor_reading parse_reading(decode_options const& options, std::string_view level);

// A translation table descriptor, or a log line with one.
explanation decode_pte(std::string_view text, decode_options const& options);
// An entry of the granule protection table.
explanation decode_gpt(std::string_view text, decode_options const& options);
// The old and the new descriptor of one entry.
explanation decode_change(std::string_view text, decode_options const& options);

}  // namespace vmsa::text
