// SPDX-License-Identifier: MIT
// The words of ISS and ISS2, exception class by exception class.
#pragma once
#include <string>

#include "vmsa/arch/syndrome.hpp"

namespace vmsa::text {

// DFSC of an SError interrupt that AET describes.
inline constexpr u8 serror_asynchronous = 0x11;

std::string register_name(u8 reg, bool reg64);
std::string say_serror_status(u8 dfsc);
std::string say_error_type(u8 aet);
// What ISS says in a phrase, for classes that are neither aborts nor SError: `immediate 0x5`, `TLBI VAE1IS, x3`.
std::string say_iss(esr_el2 esr);
// The meaning of one row of esr_layout(esr).
std::string say_iss_field(esr_el2 esr, field_info const& row, u64 value);

}  // namespace vmsa::text
