# lunfs_flags: what every target of the project is compiled with.
add_library(lunfs_flags INTERFACE)
target_include_directories(lunfs_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(lunfs_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wformat=2)
target_compile_definitions(lunfs_flags INTERFACE _FILE_OFFSET_BITS=64 LUNFS_VERSION="${PROJECT_VERSION}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # clang 14 has coroutines, but libstdc++ 12's <coroutine> asks for a later feature macro.
  target_compile_options(lunfs_flags INTERFACE -Wno-builtin-macro-redefined)
  target_compile_definitions(lunfs_flags INTERFACE __cpp_impl_coroutine=201902L)
endif()

# lunfs_library(NAME sources...): a static library of one folder.
function(lunfs_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC lunfs_flags)
endfunction()
