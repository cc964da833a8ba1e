# docs/man/NAME.SECTION.md becomes man<SECTION>/NAME.SECTION.gz.
find_package(Python3 COMPONENTS Interpreter REQUIRED)

file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.md)
set(made)
foreach(page ${pages})
  get_filename_component(name ${page} NAME_WLE)
  string(REGEX MATCH "[0-9]$" section ${name})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/man/${name}.gz)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/man
    COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/man_page.py ${PROJECT_VERSION} ${page} ${output}
    DEPENDS ${page} man_page.py
    COMMENT "Manual page ${name}"
    VERBATIM)
  list(APPEND made ${output})
  install(FILES ${output} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
add_custom_target(man_pages ALL DEPENDS ${made})
