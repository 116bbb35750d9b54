// SPDX-License-Identifier: MIT
// Recorded translations, one JSON object to a line: registers, memory and an access, and what came of it.
#include <fmt/format.h>

#include "text/replay/recorded_case.hpp"
#include "text/replay/replay_table.hpp"
#include "vmsa/mmu/translate.hpp"
#include "vmsa/mmu/walk_attributes.hpp"
#include "vmsa/sim/sparse_memory.hpp"
#include "vmsa/text/read/translation_input.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"
#include "vmsa/text/words/translation_names.hpp"

namespace vmsa::text {
namespace {

using json = recorded_case::json;

regime_registers read_registers(recorded_case const& c) {
  json const& regs = c.object("regs");
  regime_registers out;
  std::size_t known = 0;
  std::string names;
  for (named_register const& reg : translation_registers()) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", reg.name);
    if (!regs.contains(reg.name)) continue;
    wide_number const value = c.wide_value(regs[reg.name], reg.name);
    if (value.high != 0 && reg.high == nullptr)
      c.refuse(fmt::format("\"{}\": {}", reg.name, wide_hex(value)), "\"0x\" and up to 16 hex digits");
    reg.raw(out) = value.low;
    if (reg.high != nullptr) reg.high(out) = value.high;
    ++known;
  }
  if (known != regs.size()) c.refuse("\"regs\" names a register that the model does not have", names);
  return out;
}

// Recordings ask with the privilege that they say. That a guest hypervisor's LDTR has EL1's is the instruction's
// business, and theirs is not.
void ask_as_recorded(memory_access& acc, translation_regime<> const& r) {
  if (acc.as_unprivileged() && r.scheme == direct_scheme::guest_hypervisor) acc.el = exception_level::el0;
}

memory_access read_access(recorded_case const& c) {
  std::optional<operation> const op = parse_operation(c.word("op", "an operation"));
  if (!op) c.refuse(fmt::format("\"op\": \"{}\"", c.word("op", "")), operation_list());
  return {.op = *op,
          .el = static_cast<exception_level>(c.count("el", 2)),
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

// A choice as recorded, or nothing for what the recording did not ask about.
std::string recorded_choice(open_choice which, constraint_choices const& c) {
  auto const yes = [](bool b) { return b ? "TRUE" : "FALSE"; };
  auto const fault = [](bool b) { return b ? "FAULT" : "NONE"; };
  switch (which) {
    case open_choice::reserved_mair: return fmt::format("RESMAIR=0x{:02x}", c.reserved_mair);
    case open_choice::reserved_sh: return fmt::format("Shareability={}", name(c.reserved_sh));
    case open_choice::reserved_s2_half: return fmt::format("S2RESMEMATTR={}", name(c.reserved_s2_half));
    case open_choice::set_af_on_fault: return fmt::format("AFUPDATE={}", yes(c.set_af_on_fault));
    case open_choice::set_dirty_on_fault: return fmt::format("DBUPDATE={}", yes(c.set_dirty_on_fault));
    case open_choice::device_tag_store: return fmt::format("DEVICETAGSTORE={}", fault(c.device_tag_store_faults));
    case open_choice::device_fetch: return fmt::format("INSTRDEVICE={}", fault(c.device_fetch_faults));
    case open_choice::keep_tagged: return fmt::format("S1CTAGGED={}", yes(c.keep_tagged_when_cache_off));
    case open_choice::nv1_without_nv: return "NVNV1=00";
    default: return {};
  }
}

// One translation put to the test: what its answer is told by, beside the answer.
struct replayed {
  translation_regime<> const& regime;
  stage1_tables const& one;
  translation const& t;
  choices_consulted asked{};  // before the walk, for the stage 1 attributes of an IPA
  bool spaces = false;        // recorded with physical address spaces and granule protection checks
  std::vector<sim::sparse_memory::protection_read> gpt{};

  // A descriptor as recorded: its bytes in memory, read as a little-endian number.
  std::string bytes(descriptor d, u64 high, stage by) const {
    bool const wide = by == stage::one ? one.wide.on : regime.stage2.wide.on;
    bool const reversed = by == stage::one ? regime.stage1_big_endian : regime.stage2_big_endian;
    if (!reversed) return wide_hex(wide_number{d.raw, high});
    if (!wide) return hex(__builtin_bswap64(d.raw));
    return wide_hex(wide_number{__builtin_bswap64(high), __builtin_bswap64(d.raw)});
  }
};

json walk_attributes_of(memory_attributes const& a) {
  return {is_device(a) ? "Device" : "Normal", is_device(a) ? "" : name(a.inner), is_device(a) ? "" : name(a.outer),
          name(a.sh), int{a.xs}};
}

std::string_view space_name(physical_space s) {
  constexpr std::string_view names[] = {"NS", "S", "Root", "Realm"};
  return names[static_cast<unsigned>(s)];
}

json fault_of(translation_fault const& f) {
  json out{{"fault", table_name(f.kind)}};
  bool const on_output = f.kind == fault_kind::granule_protection;
  if (!on_output) {
    out["stage"] = static_cast<int>(f.by);
    out["level"] = number(f.at);
    out["s2fs1walk"] = int{f.on_stage1_walk};
  }
  if (!f.granule) {
    constexpr char const* failures[] = {"None", "Walk", "AddressSize", "Fail"};
    out["gpf"] = failures[static_cast<unsigned>(f.granule.failure)];
    out["gpf_level"] = f.granule.at_level;
    out["gpc_pa"] = hex(f.granule.where);
    out["gpc_pas"] = space_name(f.granule.space);
    if (!on_output) out["gpcfs2walk"] = int{f.granule.stage2};
  }
  if (f.by == stage::two) out["fault_ipa"] = hex(f.where);
  if (f.kind == fault_kind::permission) {
    out["write"] = int{f.write};
    out["tagaccess"] = int{f.tag_access};
    out["dirtybit"] = int{f.dirty_bit()};
    out["overlay"] = int{f.overlay()};
    out["toplevel"] = int{f.top_level()};
    out["assuredonly"] = int{f.assured_only()};
  }
  return out;
}

// The answer in the keys and spellings of a recorded `out`.
json outcome_of(replayed const& r) {
  translation const& t = r.t;
  json out{{"fault", "None"}};
  if (t.fault) {
    out = fault_of(*t.fault);
  } else {
    out["pa"] = hex(t.output);
    out["pas"] = space_name(t.space);
    out["attr"] = attributes_of(t.attributes);
    out["par_attr"] = fmt::format("0x{:02x}", encode_par_attr(t.attributes, r.regime.feat.mte_perm));
    out["par_sh"] = encode_par_sh(t.attributes);
    auto const leaf = [](leaf_extent const& e) {
      return json{{"level", number(e.at)}, {"bits", e.bits}, {"contig", int{e.contiguous}}};
    };
    if (t.stage1_leaf) out["s1leaf"] = leaf(*t.stage1_leaf);
    if (t.stage2_leaf) out["s2leaf"] = leaf(*t.stage2_leaf);
  }
  out["par"] = wide_hex(wide_number{t.par.raw, t.par.high});
  json fetch = json::array();
  json fetch_attributes = json::array();
  for (unsigned i = 0; i < t.steps.size(); ++i) {
    walk_step const& s = t.steps[i];
    fetch.push_back(
        {static_cast<int>(s.by), number(s.at), hex(s.where), r.bytes(s.value, t.descriptor_of(i).high, s.by)});
    if (r.spaces) fetch.back().push_back(space_name(s.space));
    fetch_attributes.push_back(walk_attributes_of(read_attributes(r.regime, r.one, t, i)));
  }
  out["fetch"] = std::move(fetch);
  out["walk_attr"] = std::move(fetch_attributes);
  json updates = json::array();
  json update_attributes = json::array();
  for (unsigned i = 0; i < t.updates.size(); ++i) {
    hardware_update const& u = t.updates[i];
    updates.push_back({hex(u.where), r.bytes(u.written, u.high, u.by)});
    update_attributes.push_back(
        {static_cast<int>(u.by), hex(u.where), walk_attributes_of(vmsa::update_attributes(r.regime, r.one, t, i))});
  }
  out["hw_update"] = std::move(updates);
  out["update_attr"] = std::move(update_attributes);
  out["d128"] = {int{r.one.wide.on}, int{r.regime.stage2.wide.on}};
  if (r.spaces) {
    json reads = json::array();
    for (auto const& read : r.gpt) reads.push_back({hex(read.where), hex(read.entry)});
    out["gpt"] = std::move(reads);
  }
  std::string asked;
  choices_consulted all = r.asked;
  for (open_choice c : t.consulted) all.note(c);
  for (open_choice c : all)
    if (std::string const word = recorded_choice(c, r.regime.choices); !word.empty())
      asked += (asked.empty() ? "" : "+") + word;
  out["cu"] = asked;
  return out;
}

// Recordings spell numbers with and without leading zeros, and some mark a read of memory that the row does not list,
// which its address says anyway.
json spelled_alike(json const& value) {
  if (value.is_string()) {
    std::string const& word = value.get_ref<std::string const&>();
    std::optional<wide_number> const number = word.starts_with("0x") ? parse_wide_number(word) : std::nullopt;
    return number ? json(wide_hex(*number)) : value;
  }
  if (!value.is_array()) return value;
  json out = json::array();
  for (json const& element : value)
    if (element != "unbacked") out.push_back(spelled_alike(element));
  return out;
}

// Keys that were not recorded are passed over, except that a recorded walk without `hw_update` rewrote nothing, and one
// without `cu` hung on no choice.
replay_verdict compare(json const& recorded, json const& computed) {
  std::string detail;
  auto const differ = [&](std::string_view key, std::string const& was, std::string const& is) {
    detail += fmt::format("{}{}: recorded {}, vmsa {}", detail.empty() ? "" : "; ", key, was, is);
  };
  for (auto const& [key, recorded_value] : recorded.items()) {
    bool const walk_of_words = key == "fetch" || key == "hw_update" || key == "gpt" || key == "par";
    json const value = walk_of_words ? spelled_alike(recorded_value) : recorded_value;
    auto const it = computed.find(key);
    if (it == computed.end())
      differ(key, value.dump(), "(none)");
    else if (*it != value)
      differ(key, value.dump(), it->dump());
  }
  bool const walk = recorded.contains("fetch");
  for (char const* key : {"hw_update", "s1leaf", "s2leaf", "fault_ipa", "cu"}) {
    auto const it = computed.find(key);
    bool const said = it != computed.end() && *it != json::array() && *it != json("");
    bool const leaf_unrecorded = key[0] == 's' && !recorded.contains("par");  // files without leaf extents
    if (walk && said && !recorded.contains(key) && !leaf_unrecorded) differ(key, "(none)", it->dump());
  }
  return {detail.empty() ? replay_verdict::kind::matched : replay_verdict::kind::differed, std::move(detail)};
}

constexpr char const* modes = "full, s2, el2 or el20";

class translate_evaluator final : public replay_evaluator {
 public:
  explicit translate_evaluator(manual_release manual) : manual_(manual) {}

  replay_verdict evaluate(std::string_view line, line_position at) override {
    recorded_case const c(line, at);
    auto const skip = [](std::string why) -> replay_verdict { return {replay_verdict::kind::skipped, std::move(why)}; };

    // What every recorded machine has without naming it.
    features f{.hpds = true, .pan = 3, .lse2 = true};
    json const& names = c.member(c.root(), "feat");
    if (!names.is_array()) c.refuse("\"feat\" is no array", "an array of feature names");
    for (json const& n : names)
      if (!n.is_string() || !add_feature(f, n.get_ref<std::string const&>()))
        return skip(fmt::format("the feature {} is not one the model has", n.dump()));
    f.pa_bits = static_cast<u8>(c.count("pamax", 56));
    if (physical_address_encoding(f.pa_bits) == 0xff)
      c.refuse(fmt::format("\"pamax\": {}", f.pa_bits), "32, 36, 40, 42, 44, 48, 52 or 56");

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
    for (auto const& [key, value] : c.object("mem").items()) {
      std::string const& where = key;  // a lambda captures no binding
      std::size_t const colon = where.find(':');
      std::string_view const digits = std::string_view(where).substr(colon == std::string::npos ? 0 : colon + 1);
      std::optional<u64> const address = parse_number(digits, 16);
      if (!address) c.refuse(fmt::format("\"mem\": \"{}\"", where), "\"0x\" and up to 16 hex digits");
      wide_number const word = c.wide_value(value, where);
      bool const wide = value.get_ref<std::string const&>().size() > 18;
      auto const set = [&](pa to, u64 half) {
        if (colon == std::string::npos) return memory.set(to, {half});
        for (unsigned i = 0; i < physical_space_count; ++i)
          if (auto const space = static_cast<physical_space>(i); where.substr(0, colon) == space_name(space))
            return memory.set(to, space, {half});
        c.refuse(fmt::format("\"mem\": \"{}\"", where), "an address behind NS, S, Realm or Root and a colon");
      };
      set({*address}, word.low);
      if (wide) set(pa{*address} + 8, word.high);
    }

    regime_registers const registers = read_registers(c);
    memory_access acc = read_access(c);
    std::string const& mode = c.word("mode", modes);
    bool const ipa_given = mode == "s2";
    regime_kind const kind = mode == "el2"    ? regime_kind::el2
                             : mode == "el20" ? regime_kind::el2_0
                                              : regime_kind::el1_0;
    if (mode != "full" && !ipa_given && kind == regime_kind::el1_0)
      c.refuse(fmt::format("\"mode\": \"{}\"", mode), modes);
    va const where{ipa_given ? 0 : c.hex_of(c.root(), "va")};
    ask_as_recorded(acc, make_regime(registers, f, choices, kind));
    auto const replayed = [&](manual_release manual, sim::sparse_memory at_hand) {
      auto const regime = make_regime(registers, f, choices, kind, manual);
      translation const t =
          ipa_given ? translate(at_hand, regime, ipa{c.hex_of(c.root(), "ipa")}, recorded_stage1(c, f, choices), acc)
                    : translate(at_hand, regime, where, acc);
      choices_consulted asked;
      if (ipa_given && mair_is_reserved(static_cast<u8>(c.hex_of(c.root(), "s1attr")), f))
        asked.note(open_choice::reserved_mair);
      if (ipa_given && shareability_is_reserved(static_cast<u8>(c.count("s1sh", 3))))
        asked.note(open_choice::reserved_sh);
      return outcome_of(
          {regime, regime.tables_of(where), t, asked, c.root().contains("ss"), at_hand.take_protection_reads()});
    };
    json const outcome = replayed(manual_, memory);
    replay_verdict verdict = compare(out, outcome);
    using enum replay_verdict::kind;
    if (verdict.what == differed && manual_ == manual_release::newest) {
      if (c.root().contains("newer") && c.root()["newer"] != "")
        verdict.what = newer;
      else if (compare(out, replayed(manual_release::v2023_03, memory)).what == matched &&
               replayed(manual_release::v2023_03_assured, memory) == outcome)
        verdict.what = together;  // the two rules, and nothing besides them, make the difference
    }
    return verdict;
  }

 private:
  static memory_attributes recorded_stage1(recorded_case const& c, features const& f,
                                           constraint_choices const& choices) {
    u64 const attr = c.hex_of(c.root(), "s1attr");
    if (attr > 0xff) c.refuse(fmt::format("\"s1attr\": {}", hex(attr)), "a MAIR attribute byte");
    return mair(static_cast<u8>(attr), decode_shareability(static_cast<u8>(c.count("s1sh", 3)), choices), f, choices);
  }

  manual_release manual_;
};

}  // namespace

std::unique_ptr<replay_evaluator> make_translate_evaluator(manual_release manual) {
  return std::make_unique<translate_evaluator>(manual);
}

}  // namespace vmsa::text
