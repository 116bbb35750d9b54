# SPDX-License-Identifier: MIT
# Bare-metal AArch64 with Debian's cross compiler: only what -ffreestanding code may use.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++ CACHE STRING "")
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc CACHE STRING "")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CXX_FLAGS_INIT
    "-ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -mgeneral-regs-only -mstrict-align -mno-outline-atomics")
set(CMAKE_C_FLAGS_INIT "-ffreestanding -mgeneral-regs-only -mstrict-align -mno-outline-atomics")
