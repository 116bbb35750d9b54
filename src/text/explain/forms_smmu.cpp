// SPDX-License-Identifier: MIT
// SMMUv3 events as Linux and Xen print them: the record's words, and from 6.14 on a decoded line.
#include "text/explain/forms.hpp"
#include "vmsa/arch/smmu_event.hpp"

namespace vmsa::text {
namespace {

using role = form_reading::role;

constexpr std::string_view smmu_anchors[] = {"arm-smmu", "SMMUv3:", "event: F_", "event: C_", "event: E_"};

std::optional<form_reading> read_event(std::string_view line) {
  // `arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:`, and not somebody's words about it
  std::size_t const received = line.find(": event 0x");
  if (received != std::string_view::npos && (contains(line, "arm-smmu") || contains(line, "SMMU"))) {
    std::size_t const at = received + 2;
    std::string_view rest;
    std::optional<u64> const id = leading_hex(line.substr(at + 6), &rest);
    if (id && *id <= 0xff && rest.starts_with(" received:")) return form_reading{role::begins}.add("event", id);
  }
  // `event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0x... ipa: 0x...`
  if (std::size_t const at = line.find("event: "); at != std::string_view::npos && contains(line, " sid: ")) {
    std::string_view const name = word_after(line, "event:");
    for (smmu_event_kind const& kind : smmu_events) {
      if (name != kind.name) continue;
      return form_reading{role::matches}
          .add("event", kind.id)
          .say("name", name)
          .say("client", word_after(line, "client:"))
          .add("StreamID", hex_after(line, "sid"))
          .add("SubstreamID", hex_after(line, "ssid"))
          .add("IOVA", hex_after(line, "iova"))
          .add("IPA", hex_after(line, "ipa"));
    }
    return std::nullopt;
  }
  // `unpriv data write s1 "Input address caused fault" stag: 0x0`
  if (contains(line, " stag: 0x") && (contains(line, "priv data ") || contains(line, "priv inst ")))
    return form_reading{role::adds}
        .say("access", contains(line, " write ") ? "write" : "read")
        .say("stage", contains(line, " s2 ") ? "2" : "1");
  // A word of the record alone: `arm-smmu-v3 arm-smmu-v3.0.auto:  0x0000010000000010`
  std::size_t const at = line.rfind("0x");
  if (at == std::string_view::npos || at == 0 || line.size() - at != 18) return std::nullopt;
  std::size_t const before = line.find_last_not_of(" \t", at - 1);
  if (before == std::string_view::npos || line[before] != ':') return std::nullopt;
  std::optional<u64> const word = leading_hex(line.substr(at));
  if (!word) return std::nullopt;
  return form_reading{role::adds}.add("word", word);
}

smmu_event_record record_of(scan_item const& item) {
  smmu_event_record r;
  constexpr std::string_view names[] = {"word0", "word1", "word2", "word3"};
  for (unsigned i = 0; i < 4; ++i) r.word[i] = item.number(names[i]).value_or(0);
  return r;
}

// What the record's words say, under the names of its fields.
void complete(scan_item& item) {
  if (item.find("word0") == nullptr) return;
  smmu_event_record const record = record_of(item);
  smmu_event_kind const kind = record.kind();
  smmu_event const e = decode_smmu_event(record);
  auto const add = [&item](std::string_view name, u64 value) {
    if (item.find(name) == nullptr) item.values.emplace_back(name, hex(value));
  };
  add("StreamID", e.stream);
  if (e.has_substream) add("SubstreamID", e.substream);
  if (kind.input) add("IOVA", e.input);
  if (kind.ipa && e.stage2) add("IPA", e.intermediate);
  if (kind.fetch) add("FetchAddr", e.fetch);
}

// Events of one kind, stream, access and gigabyte are one item.
std::string key_of(scan_item const& item) {
  auto const word = [&item](std::string_view name) {
    return item.find(name) != nullptr ? *item.find(name) : std::string();
  };
  return fmt::format("|{}|{}|{}|{}|{}|{}", word("event"), word("StreamID"), word("SubstreamID"),
                     decode_smmu_event(record_of(item)).read, word("access"), item.number("IOVA").value_or(0) >> 30);
}

void tell(scan_item& item, scan_context const&) {
  bool const has_record = item.find("word0") != nullptr;
  smmu_event_record const record = record_of(item);
  smmu_event const e = decode_smmu_event(record);
  std::string const* const name = item.find("name");
  smmu_event_kind kind =
      has_record ? record.kind() : smmu_event_kind_of(static_cast<u8>(item.number("event").value_or(0)));
  if (!has_record && name != nullptr)
    for (smmu_event_kind const& row : smmu_events)
      if (*name == row.name) kind = row;
  std::string const* const iova = item.find("IOVA");
  std::string const* const stream = item.find("StreamID");
  std::string const* const access = item.find("access");
  std::string const* const client = item.find("client");
  std::string const direction = has_record && kind.rnw ? (e.read ? ", read" : ", write")
                                : access != nullptr    ? ", " + *access
                                                       : "";
  std::string const* const stage = item.find("stage");
  std::string const where = has_record && kind.stage ? (e.stage2 ? ", stage 2" : ", stage 1")
                            : stage != nullptr       ? ", stage " + *stage
                                                     : "";
  item.summary =
      fmt::format("SMMU event {} {}{}{}{}{}{}", hex(kind.id), kind.name,
                  stream != nullptr ? ", StreamID " + *stream : "", client != nullptr ? " (" + *client + ")" : "",
                  iova != nullptr && kind.input ? ", IOVA " + *iova : "", direction, where);
  item.meaning = kind.text;
  bool const write = has_record ? kind.rnw && !e.read : access != nullptr && *access == "write";
  u64 const input = item.number("IOVA").value_or(0);
  if (kind.id == 0x10 && write && (input & 0xfff) == 0x040)
    item.meaning +=
        "; an address that ends in 0x040 is most often an interrupt's doorbell (GITS_TRANSLATER) that is not mapped";
  else if (kind.id == 0x10)
    item.meaning +=
        ": the device used an address that nobody mapped for DMA, or one that was unmapped before it was done";
  else if (kind.id == 0x13)
    item.meaning += ": a write to what was mapped for reading, or a read of what was mapped for writing";
  else if (kind.id == 0x02 || kind.id == 0x04)
    item.meaning += ": the device is not attached to any domain, or its StreamID is not the one that firmware tells";
  if (has_record) {
    item.next = "vmsa decode event";
    for (std::string_view const word : {"word0", "word1", "word2", "word3"})
      if (std::string const* const value = item.find(word); value != nullptr) item.next += " " + *value;
  }
  if (has_record)
    for (unsigned i = 0; i < 4; ++i)
      if (record.stale(i) != 0) {
        item.meaning += fmt::format("; reserved bits {} of word {} are set, as real parts do", hex(record.stale(i)), i);
        break;
      }
}

constexpr form_row smmu_rows[] = {
    {"smmu-event", "arm-smmu-v3 ...: event 0x10 received: and its words, event: F_TRANSLATION client: ...",
     smmu_anchors, read_event, tell, complete, key_of, "IOVA"},
};

}  // namespace

std::span<form_row const> smmu_forms() { return smmu_rows; }

}  // namespace vmsa::text
