// SPDX-License-Identifier: MIT
#include "vmsa/text/read/machine_registers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "text/read/toml_reader.hpp"
#include "text/words/ascii.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr std::string_view known_registers[] = {"PC",
                                                "CPSR",
                                                "HCR_EL2",
                                                "VTTBR_EL2",
                                                "VTCR_EL2",
                                                "TTBR0_EL1",
                                                "TTBR1_EL1",
                                                "TCR_EL1",
                                                "TCR2_EL1",
                                                "MAIR_EL1",
                                                "SCTLR_EL1",
                                                "TTBR0_EL2",
                                                "TTBR1_EL2",
                                                "TCR_EL2",
                                                "MAIR_EL2",
                                                "SCTLR_EL2",
                                                "CTR_EL0",
                                                "HPFAR_EL2",
                                                "FAR_EL2",
                                                "ESR_EL2",
                                                "ID_AA64MMFR0_EL1",
                                                "ID_AA64MMFR1_EL1",
                                                "ID_AA64MMFR2_EL1",
                                                "ID_AA64MMFR3_EL1",
                                                "ID_AA64PFR1_EL1",
                                                "ID_AA64ISAR0_EL1",
                                                "ID_AA64ISAR1_EL1"};
constexpr char const* valid_value = "\"0x\" and up to 16 hexadecimal digits";

std::string canonical(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  // GDB's name for the register that Armv8.0 made.
  return name == "SCTLR" ? "SCTLR_EL1" : name;
}

std::size_t line_of(std::string_view text, std::size_t byte) {
  return 1 + static_cast<std::size_t>(std::count(
                 text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size())), '\n'));
}

u64 json_value(nlohmann::json const& value, std::string const& file, std::string const& where) {
  std::optional<u64> const raw = value.is_string() && value.get_ref<std::string const&>().starts_with("0x")
                                     ? parse_number(value.get_ref<std::string const&>(), 16)
                                     : std::nullopt;
  if (!raw)
    throw input_error(
        file, 0, fmt::format("{} is {}", where, value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)),
        valid_value);
  return *raw;
}

// Registers of another size or kind, such as vectors, are no addresses and are left alone.
register_set json_registers(nlohmann::json const& object, std::string const& file, std::string const& where) {
  if (!object.is_object())
    throw input_error(file, 0, where + " is no object", "an object of registers: {\"VTTBR_EL2\": \"0x...\"}");
  register_set out;
  for (auto const& [key, value] : object.items()) {
    std::string const name = canonical(key);
    if (std::find(std::begin(known_registers), std::end(known_registers), name) == std::end(known_registers)) continue;
    out.values[name] = json_value(value, file, fmt::format("{}.{}", where, key));
  }
  return out;
}

machine_registers parse_json(std::string_view text, std::string const& file) {
  nlohmann::json root;
  try {
    root = nlohmann::json::parse(text);
  } catch (nlohmann::json::parse_error const& error) {
    throw input_error(file, line_of(text, error.byte), "no JSON", "what cmake/gdbstub_registers writes");
  } catch (nlohmann::json::out_of_range const&) {  // it names no place
    throw input_error(file, 0, "a JSON number beyond any double's", "numbers up to 65535, and registers as \"0x...\"");
  }
  machine_registers out;
  if (!root.is_object() || !root.contains("cpus") || !root["cpus"].is_array())
    throw input_error(file, 0, "no \"cpus\"", "{\"cpus\": [{\"VTTBR_EL2\": \"0x...\", ...}, ...]}");
  for (std::size_t i = 0; i < root["cpus"].size(); ++i)
    out.cpus.push_back(json_registers(root["cpus"][i], file, fmt::format("cpus[{}]", i)));
  if (root.contains("vms")) {
    if (!root["vms"].is_array())
      throw input_error(file, 0, "\"vms\" is no array", "[{\"vmid\": 1, \"TTBR0_EL1\": \"0x...\", ...}]");
    for (std::size_t i = 0; i < root["vms"].size(); ++i) {
      nlohmann::json const& vm = root["vms"][i];
      std::string const where = fmt::format("vms[{}]", i);
      vm_registers one{0, json_registers(vm, file, where)};
      if (!vm.contains("vmid") || !vm["vmid"].is_number_unsigned() || vm["vmid"].get<u64>() > 0xffff)
        throw input_error(file, 0, where + " has no vmid", "\"vmid\": a number up to 65535");
      one.vmid = vm["vmid"].get<u64>();
      out.vms.push_back(std::move(one));
    }
  }
  return out;
}

register_set toml_registers(toml_table const& t) {
  register_set out;
  for (std::string_view const name : known_registers) {
    std::optional<u64> const upper_value = t.hex(name);
    std::optional<u64> const lower_value = t.hex(lower_case(name));
    if (upper_value && lower_value) t.refuse(name, "given twice", "one spelling of the register");
    if (upper_value || lower_value) out.values[std::string(name)] = upper_value ? *upper_value : *lower_value;
  }
  return out;
}

}  // namespace

std::optional<u64> register_set::get(std::string_view name) const {
  auto const it = values.find(name);
  return it == values.end() ? std::nullopt : std::optional(it->second);
}

machine_registers parse_machine_registers(std::string_view text, std::string file) {
  machine_registers out;
  std::size_t const first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') {
    out = parse_json(text, file);
  } else {
    toml_table const root = toml_table::parse(text, file);
    for (toml_table const& t : root.tables("cpu")) {
      out.cpus.push_back(toml_registers(t));
      t.finish();
    }
    for (toml_table const& t : root.tables("vm")) {
      std::optional<u64> const vmid = t.count("vmid", 0xffff);
      if (!vmid) t.refuse("vmid", "no vmid", "a number up to 65535");
      out.vms.push_back({*vmid, toml_registers(t)});
      t.finish();
    }
    root.finish();
    if (out.cpus.empty() && out.vms.empty())
      throw input_error(file, 0, "no processor", "[[cpu]] with vttbr_el2 = \"0x...\" and so on, or JSON");
  }
  out.file = std::move(file);
  return out;
}

}  // namespace vmsa::text
