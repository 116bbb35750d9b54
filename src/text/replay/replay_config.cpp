// SPDX-License-Identifier: MIT
// The table of stage 2 configurations: s2_config.
#include "text/replay/replay_table.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"

namespace vmsa::text {
namespace {

class config_evaluator final : public replay_evaluator {
 public:
  explicit config_evaluator(column_names const& names)
      : names_(names),
        pamax_(names.find("pamax")),
        lpa_(names.find("lpa")),
        lpa2_(names.find("lpa2")),
        ttst_(names.find("ttst")),
        tg0_(names.find("tg0")),
        ds_(names.find("ds")),
        sl2_(names.find("sl2")),
        sl0_(names.find("sl0")),
        t0sz_(names.find("t0sz")),
        above_(names.find("imp_above_faults")),
        valid_(names.find("valid")),
        start_(names.find("start_level")),
        bits_(names.find("effective_ipa_bits")),
        bytes_(names.find("top_table_bytes")),
        concatenated_(names.find("concatenated")) {}

  replay_verdict evaluate(std::string_view line, line_position at) override {
    table_row const row(line, names_, at);
    features f = all_features;
    f.pa_bits = static_cast<u8>(row.number(pamax_, 52));
    u8 const ps = physical_address_encoding(f.pa_bits);
    if (ps == 0xff) row.refuse(pamax_, "32, 36, 40, 42, 44, 48 or 52");
    f.lpa = f.lva = row.flag(lpa_);
    f.lpa2 = row.flag(lpa2_);
    f.ttst = row.flag(ttst_);
    constraint_choices choices;
    choices.txsz_above_max_faults = above_ != column_names::absent && row.flag(above_);
    vtcr_el2 const vtcr = vtcr_el2{}
                              .with<vtcr_el2::ps>(ps)
                              .with<vtcr_el2::tg0>(static_cast<u8>(row.number(tg0_, 3)))
                              .with<vtcr_el2::ds>(row.flag(ds_))
                              .with<vtcr_el2::sl2>(row.flag(sl2_))
                              .with<vtcr_el2::sl0>(static_cast<u8>(row.number(sl0_, 3)))
                              .with<vtcr_el2::t0sz>(static_cast<u8>(row.number(t0sz_, 63)));
    geometry_result const g = decode_vtcr(vtcr, f, choices);
    row_comparison out(row);
    out.expect_number(valid_, g ? 1 : 0);
    if (g) {
      out.expect(start_, std::to_string(number(g.value.start)));
      out.expect_number(bits_, g.value.input_bits);
      out.expect_number(bytes_, g.value.root_size());
      out.expect_number(concatenated_, g.value.concatenated_tables());
    }
    return std::move(out).verdict();
  }

 private:
  column_names names_;
  std::size_t pamax_, lpa_, lpa2_, ttst_, tg0_, ds_, sl2_, sl0_, t0sz_, above_, valid_, start_, bits_, bytes_,
      concatenated_;
};

}  // namespace

std::unique_ptr<replay_evaluator> make_stage2_config_evaluator(column_names const& names) {
  return std::make_unique<config_evaluator>(names);
}

}  // namespace vmsa::text
