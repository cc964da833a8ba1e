# docs/man/NAME.SECTION.md becomes man<SECTION>/NAME.SECTION.gz.
find_package(Python3 COMPONENTS Interpreter REQUIRED)

file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.md)
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/man)
set(made)
foreach(page ${pages})
  get_filename_component(name ${page} NAME_WLE)
  string(REGEX MATCH "[0-9]$" section ${name})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/man/${name}.gz)
  add_custom_command(
    OUTPUT ${output}
    COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/man_page.py ${PROJECT_VERSION} ${page} ${output}
    DEPENDS ${page} man_page.py
    COMMENT "Manual page ${name}"
    VERBATIM)
  list(APPEND made ${output})
  install(FILES ${output} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
# What mount(8) tells readers to look for.
file(CREATE_LINK lunfs.8.gz ${CMAKE_CURRENT_BINARY_DIR}/man/mount.lunfs.8.gz SYMBOLIC)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/man/mount.lunfs.8.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
add_custom_target(man_pages ALL DEPENDS ${made})
