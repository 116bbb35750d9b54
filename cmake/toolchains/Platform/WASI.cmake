# SPDX-License-Identifier: MIT
# What CMake 3.25 does not know of WASI: it has no shared libraries, and a program's file is a WebAssembly module.
set(CMAKE_EXECUTABLE_SUFFIX .wasm)
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
