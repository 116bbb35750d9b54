# SPDX-License-Identifier: MIT
# What the hosted layers use, as targets of the names that Debian's packages give them, for WebAssembly: the headers alone,
# through a folder of links, so that nothing else of /usr/include is seen. zlib is no header: zlib.hpp here stands for it.
set(web_headers ${PROJECT_BINARY_DIR}/headers)
file(MAKE_DIRECTORY ${web_headers})
foreach(folder IN ITEMS boost fmt nlohmann toml++ CLI)
  if(NOT EXISTS /usr/include/${folder})
    message(FATAL_ERROR "no /usr/include/${folder}: cmake/bootstrap web installs what this build needs")
  endif()
  file(CREATE_LINK /usr/include/${folder} ${web_headers}/${folder} SYMBOLIC)
endforeach()

foreach(name IN ITEMS Boost::headers Threads::Threads fmt::fmt nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus
                      ZLIB::ZLIB CLI11::CLI11)
  add_library(${name} INTERFACE IMPORTED)
  target_include_directories(${name} SYSTEM INTERFACE ${web_headers})
endforeach()
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
target_compile_definitions(CLI11::CLI11 INTERFACE CLI11_HAS_FILESYSTEM=0)

# What the system lacks: headers before every file of the hosted layers, and their bodies.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-include ${CMAKE_CURRENT_SOURCE_DIR}/web/runtime/lacking.hpp)
set_property(TARGET ZLIB::ZLIB APPEND PROPERTY INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_CURRENT_SOURCE_DIR}/web/runtime/include)
file(GLOB web_runtime_sources CONFIGURE_DEPENDS web/runtime/*.cpp)
add_library(vmsa_web_runtime OBJECT ${web_runtime_sources})
target_compile_features(vmsa_web_runtime PRIVATE cxx_std_20)
# What the compiler calls on its own must be there when the linker's optimizer looks for it.
target_compile_options(vmsa_web_runtime PRIVATE -fno-lto)
target_link_libraries(vmsa_web_runtime PRIVATE Boost::headers)
