// SPDX-License-Identifier: MIT
// HPFAR_EL2: the IPA that a fault left behind.
#include "text/explain/explain_fields.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {

explanation explain(hpfar_el2 hpfar) {
  explanation e{.kind = "hpfar", .value = hpfar.raw};
  e.summary = fmt::format("IPA {}, bits 11:0 are FAR_EL2's{}", hex(hpfar.page()),
                          hpfar.get<hpfar_el2::ns>() ? ", Non-secure IPA space" : "");
  e.fields = explain_rows(hpfar.raw, hpfar_el2::layout, [&](field_info const& row, u64 value) -> std::string {
    if (std::string_view(row.name) == "FIPA") return fmt::format("IPA {}", hex(hpfar.page()));
    return value != 0 ? "Non-secure IPA space" : "meaningful for faults in Secure state only";
  });
  e.facts = {{"ipa", hex(hpfar.page())}};
  e.notes = {
      "UNKNOWN after a permission or alignment fault that was not on a stage 1 table access, and after an external "
      "abort: "
      "translate FAR_EL2 again with AT"};
  return e;
}

}  // namespace vmsa::text
