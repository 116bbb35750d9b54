# SPDX-License-Identifier: MIT
# vmsa_harden(TARGET): what is built to be installed and run on other people's files as root: position-independent, with a
# read-only relocation table that is filled at start, stack protectors, checked library calls, and landing pads for indirect
# branches where the compiler has them. Only without debugging: the sanitizers of other builds see more.
include(CheckCXXCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
check_cxx_compiler_flag(-fcf-protection VMSA_HAS_CF_PROTECTION)
check_cxx_compiler_flag(-mbranch-protection=standard VMSA_HAS_BRANCH_PROTECTION)

function(vmsa_harden target)
  # A module for WebAssembly has its calls and its code out of reach, and would carry the rest for nothing.
  if(CMAKE_SYSTEM_NAME STREQUAL "WASI")
    return()
  endif()
  set(flags -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  if(VMSA_HAS_CF_PROTECTION)
    list(APPEND flags -fcf-protection)
  elseif(VMSA_HAS_BRANCH_PROTECTION)
    list(APPEND flags -mbranch-protection=standard)
  endif()
  set(hardened "$<CONFIG:Release,RelWithDebInfo,MinSizeRel>")
  target_compile_options(${target} PRIVATE "$<${hardened}:${flags}>")
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_options(${target} PRIVATE "$<${hardened}:LINKER:-z,relro,-z,now>")
  endif()
endfunction()
