// SPDX-License-Identifier: MIT
// Recorded translations, one JSON object to a line: registers, memory and an access, and what came of it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "replay_table.hpp"
#include "vmsa/mmu/translate.hpp"
#include "vmsa/sim/sparse_memory.hpp"
#include "vmsa/text/format.hpp"
#include "vmsa/text/input_error.hpp"
#include "vmsa/text/names.hpp"
#include "vmsa/text/translation_input.hpp"
#include "vmsa/text/translation_names.hpp"

namespace vmsa::text {
namespace {

using json = nlohmann::json;

// One case as recorded. Every accessor throws input_error at the line when the value is missing or of another kind.
class recorded_case {
 public:
  recorded_case(std::string_view line, line_position at) : at_(at) {
    root_ = json::parse(line, nullptr, false);
    if (!root_.is_object()) refuse("no JSON object", "one object to a line");
  }

  [[noreturn]] void refuse(std::string const& problem, std::string const& valid) const {
    throw input_error(std::string(at_.file), at_.number, problem, valid);
  }

  json const& member(json const& of, char const* key) const {
    auto const it = of.find(key);
    if (it == of.end()) refuse(fmt::format("no \"{}\"", key), "the keys of tests/README.md");
    return *it;
  }
  json const& object(char const* key) const {
    json const& value = member(root_, key);
    if (!value.is_object()) refuse(fmt::format("\"{}\" is no object", key), "an object");
    return value;
  }
  u64 hex_value(json const& value, std::string_view key) const {
    std::optional<u64> number;
    if (value.is_string()) number = parse_number(value.get_ref<std::string const&>(), 16);
    if (!number) refuse(fmt::format("\"{}\": {}", key, value.dump()), "\"0x\" and up to 16 hex digits");
    return *number;
  }
  u64 hex_of(json const& of, char const* key) const { return hex_value(member(of, key), key); }
  u64 count(json const& of, char const* key, u64 most) const {
    json const& value = member(of, key);
    if (!value.is_number_unsigned() || value.get<u64>() > most)
      refuse(fmt::format("\"{}\": {}", key, value.dump()), fmt::format("a number up to {}", most));
    return value.get<u64>();
  }
  u64 count(char const* key, u64 most) const { return count(root_, key, most); }
  // 0 or 1; absent is 0.
  bool flag(json const& of, char const* key) const { return of.contains(key) && count(of, key, 1) != 0; }
  bool flag(char const* key) const { return flag(root_, key); }
  std::string const& word(char const* key, char const* valid) const {
    json const& value = member(root_, key);
    if (!value.is_string()) refuse(fmt::format("\"{}\": {}", key, value.dump()), valid);
    return value.get_ref<std::string const&>();
  }
  json const& root() const noexcept { return root_; }

 private:
  line_position at_;
  json root_;
};

el1_registers read_registers(recorded_case const& c) {
  json const& regs = c.object("regs");
  el1_registers out;
  std::size_t known = 0;
  std::string names;
  for (named_register const& reg : translation_registers()) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", reg.name);
    if (!regs.contains(reg.name)) continue;
    reg.raw(out) = c.hex_of(regs, reg.name);
    ++known;
  }
  if (known != regs.size()) c.refuse("\"regs\" names a register that the model does not have", names);
  return out;
}

memory_access read_access(recorded_case const& c) {
  std::optional<operation> const op = parse_operation(c.word("op", "an operation"));
  if (!op) c.refuse(fmt::format("\"op\": \"{}\"", c.word("op", "")), operation_list());
  return {.op = *op,
          .el = c.count("el", 1) == 0 ? exception_level::el0 : exception_level::el1,
          .unprivileged = c.flag("unpriv"),
          .pan = c.flag("pan"),
          .aligned = !c.root().contains("aligned") || c.flag("aligned")};
}

json attributes_of(memory_attributes const& a) {
  bool const device = is_device(a);
  return {{"type", device ? "Device" : "Normal"},
          {"device", device ? name(a.device) : ""},
          {"inner", device ? "" : name(a.inner)},
          {"outer", device ? "" : name(a.outer)},
          {"sh", name(a.sh)},
          {"tags", a.tagged ? "A" : "U"},
          {"notag", int{a.no_tag_access}},
          {"xs", int{a.xs}}};
}

std::string padded(descriptor d) { return fmt::format("0x{:016x}", d.raw); }

// The answer in the keys and spellings of a recorded `out`.
json outcome_of(translation const& t, sim::sparse_memory const& memory, bool mte_perm) {
  json out{{"par", hex(t.par.raw)}};
  if (t.fault) {
    translation_fault const& f = *t.fault;
    out["fault"] = table_name(f.kind);
    out["stage"] = static_cast<int>(f.by);
    out["level"] = number(f.at);
    out["s2fs1walk"] = int{f.on_stage1_walk};
    if (f.by == stage::two) out["fault_ipa"] = hex(f.where);
    if (f.kind == fault_kind::permission) {
      out["write"] = int{f.write};
      out["tagaccess"] = int{f.tag_access};
      out["dirtybit"] = 0;  // a cause that only FEAT_S1PIE and FEAT_S2PIE have
    }
  } else {
    out["fault"] = "None";
    out["pa"] = hex(t.output);
    out["attr"] = attributes_of(t.attributes);
    out["par_attr"] = fmt::format("0x{:02x}", encode_par_attr(t.attributes, mte_perm));
    out["par_sh"] = encode_par_sh(t.attributes);
    auto const leaf = [](leaf_extent const& e) {
      return json{{"level", number(e.at)}, {"bits", e.bits}, {"contig", int{e.contiguous}}};
    };
    if (t.stage1_leaf) out["s1leaf"] = leaf(*t.stage1_leaf);
    if (t.stage2_leaf) out["s2leaf"] = leaf(*t.stage2_leaf);
  }
  json fetch = json::array();
  for (walk_step const& s : t.steps) {
    json step{static_cast<int>(s.by), number(s.at), hex(s.where), padded(s.value)};
    if (!memory.known(s.where)) step.push_back("unbacked");
    fetch.push_back(std::move(step));
  }
  out["fetch"] = std::move(fetch);
  json updates = json::array();
  for (hardware_update const& u : t.updates) updates.push_back({hex(u.where), padded(u.written)});
  out["hw_update"] = std::move(updates);
  return out;
}

// Keys that were not recorded are passed over, except that a recorded walk without `hw_update` rewrote nothing.
replay_verdict compare(json const& recorded, json const& computed) {
  std::string detail;
  auto const differ = [&](std::string_view key, std::string const& was, std::string const& is) {
    detail += fmt::format("{}{}: recorded {}, vmsa {}", detail.empty() ? "" : "; ", key, was, is);
  };
  for (auto const& [key, value] : recorded.items()) {
    if (key == "cu") continue;  // the choices are an input
    auto const it = computed.find(key);
    if (it == computed.end())
      differ(key, value.dump(), "(none)");
    else if (*it != value)
      differ(key, value.dump(), it->dump());
  }
  bool const walk = recorded.contains("fetch");
  for (char const* key : {"hw_update", "s1leaf", "s2leaf", "fault_ipa"}) {
    auto const it = computed.find(key);
    if (walk && it != computed.end() && !it->empty() && !recorded.contains(key)) differ(key, "(none)", it->dump());
  }
  return {detail.empty() ? replay_verdict::kind::matched : replay_verdict::kind::differed, std::move(detail)};
}

class translate_evaluator final : public replay_evaluator {
 public:
  replay_verdict evaluate(std::string_view line, line_position at) override {
    recorded_case const c(line, at);
    auto const skip = [](std::string why) -> replay_verdict { return {replay_verdict::kind::skipped, std::move(why)}; };

    // What every recorded machine has without naming it.
    features f{.hpds = true, .pan = 3};
    f.pa_bits = static_cast<u8>(c.count("pamax", 52));
    if (physical_address_encoding(f.pa_bits) == 0xff)
      c.refuse(fmt::format("\"pamax\": {}", f.pa_bits), "32, 36, 40, 42, 44, 48 or 52");
    json const& names = c.member(c.root(), "feat");
    if (!names.is_array()) c.refuse("\"feat\" is no array", "an array of feature names");
    for (json const& n : names)
      if (!n.is_string() || !add_feature(f, n.get_ref<std::string const&>()))
        return skip(fmt::format("the feature {} is not one the model has", n.dump()));

    json const& out = c.object("out");
    constraint_choices choices;
    if (auto const cu = out.find("cu"); cu != out.end()) {
      if (!cu->is_string()) c.refuse(fmt::format("\"cu\": {}", cu->dump()), "NAME=CHOICE+NAME=CHOICE");
      if (auto unknown = apply_choices(cu->get_ref<std::string const&>(), choices)) return skip(std::move(*unknown));
    }
    if (c.root().contains("imp")) {
      json const& imp = c.object("imp");
      choices.txsz_above_max_faults = c.flag(imp, "above");
      choices.contiguous_misprogramming_faults = c.flag(imp, "contig");
      choices.nt_faults = c.flag(imp, "nt");
      choices.effective_sh_at_stage1 = !imp.contains("eff") || c.flag(imp, "eff");
      choices.device_fetch_faults = c.flag(imp, "idev");
      if (imp.contains("bbm")) f.bbm = static_cast<u8>(c.count(imp, "bbm", 2));
    }

    sim::sparse_memory memory;
    for (auto const& [where, value] : c.object("mem").items()) {
      std::optional<u64> const address = parse_number(where, 16);
      if (!address) c.refuse(fmt::format("\"mem\": \"{}\"", where), "\"0x\" and up to 16 hex digits");
      memory.set({*address}, {c.hex_value(value, where)});
    }

    el1_registers const registers = read_registers(c);
    if (unmodelled_bit const bit = unmodelled_control(registers))
      return skip(describe(bit) + ", which is not modelled");
    auto const regime = make_regime(registers, f, choices);
    memory_access const acc = read_access(c);
    std::string const& mode = c.word("mode", "full or s2");
    if (mode != "full" && mode != "s2") c.refuse(fmt::format("\"mode\": \"{}\"", mode), "full or s2");
    translation const t =
        mode == "full" ? translate(memory, regime, va{c.hex_of(c.root(), "va")}, acc)
                       : translate(memory, regime, ipa{c.hex_of(c.root(), "ipa")}, recorded_stage1(c, f, choices), acc);
    return compare(out, outcome_of(t, memory, f.mte_perm));
  }

 private:
  static memory_attributes recorded_stage1(recorded_case const& c, features const& f,
                                           constraint_choices const& choices) {
    u64 const attr = c.hex_of(c.root(), "s1attr");
    if (attr > 0xff) c.refuse(fmt::format("\"s1attr\": {}", hex(attr)), "a MAIR attribute byte");
    return mair(static_cast<u8>(attr), decode_shareability(static_cast<u8>(c.count("s1sh", 3)), choices), f, choices);
  }
};

}  // namespace

std::unique_ptr<replay_evaluator> make_translate_evaluator() { return std::make_unique<translate_evaluator>(); }

}  // namespace vmsa::text
