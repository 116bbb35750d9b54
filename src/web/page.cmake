# SPDX-License-Identifier: MIT
# The command as a module. Its stack is what Linux gives a program, and lies below its data, so that an overflow traps.
target_link_libraries(vmsa_cli PRIVATE vmsa_web_runtime)
# What is optimized while it is linked is told there again how exceptions are thrown.
target_link_options(vmsa_cli PRIVATE
  "SHELL:LINKER:-mllvm,-wasm-enable-eh" "SHELL:LINKER:-mllvm,-exception-model=wasm"
  -lwasi-emulated-mman -lwasi-emulated-signal
  LINKER:-z,stack-size=8388608 LINKER:--stack-first LINKER:--strip-all LINKER:--gc-sections)
# runtime/locale.cpp in the place of what libc++ has.
foreach(name IN ITEMS _ZNSt3__26locale7classicEv _ZNSt3__26localeC1Ev)
  target_link_options(vmsa_cli PRIVATE LINKER:--wrap=${name})
endforeach()

find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB web_page CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/page/*)
add_custom_command(
  OUTPUT ${PROJECT_BINARY_DIR}/vmsa.html
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/make_page $<TARGET_FILE:vmsa_cli> ${PROJECT_VERSION}
          ${PROJECT_BINARY_DIR}/vmsa.html
  DEPENDS vmsa_cli ${CMAKE_CURRENT_LIST_DIR}/make_page ${CMAKE_CURRENT_LIST_DIR}/pack.py ${web_page}
  VERBATIM)
add_custom_target(vmsa_page ALL DEPENDS ${PROJECT_BINARY_DIR}/vmsa.html)

include(${CMAKE_CURRENT_LIST_DIR}/tests/tests.cmake)
