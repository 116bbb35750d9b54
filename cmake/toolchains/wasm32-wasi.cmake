# SPDX-License-Identifier: MIT
# WebAssembly for a browser or node, with Debian's clang-19, lld-19, wasi-libc and libc++-19-dev-wasm32. Exceptions are in the
# legacy encoding, which clang-19 makes and every browser and node 18 run.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_CXX_COMPILER clang++-19 CACHE STRING "")
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
# Another release's would not read what the compiler leaves to the linker to optimize.
set(CMAKE_AR llvm-ar-19 CACHE FILEPATH "")
set(CMAKE_RANLIB llvm-ranlib-19 CACHE FILEPATH "")
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})  # for Platform/WASI.cmake
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# Left to itself clang looks into /usr/include after wasi-libc's headers and so takes glibc's for what wasi-libc lacks.
set(wasm_headers "")
foreach(folder IN ITEMS /usr/include/wasm32-wasi/c++/v1 /usr/lib/llvm-19/lib/clang/19/include /usr/include/wasm32-wasi)
  string(APPEND wasm_headers " -isystem ${folder}")
endforeach()
set(CMAKE_CXX_FLAGS_INIT
    "-nostdinc${wasm_headers} -fwasm-exceptions -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_SIGNAL")
