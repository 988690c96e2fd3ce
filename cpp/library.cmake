# libedgeemo.so, the C ABI. Its name never changes, because its symbols have versions. CMake installs the library with
# the header, a pkg-config file and a CMake package; a wheel has them in edgeemo/native.
if(SKBUILD)
  set(native edgeemo/native/)
else()
  set(native "")
endif()

add_library(edgeemo SHARED ${EDGEEMO_ABI})
set_target_properties(edgeemo PROPERTIES UNITY_BUILD ON)
target_link_libraries(edgeemo PRIVATE edgeemo_core)
target_include_directories(edgeemo PRIVATE src)
target_include_directories(edgeemo PUBLIC
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${native}include>)
target_link_options(edgeemo PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/edgeemo.map -Wl,--gc-sections)
set_target_properties(edgeemo PROPERTIES LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/edgeemo.map)
if(NOT EDGEEMO_SANITIZE AND NOT EDGEEMO_THREADS_SANITIZE)
  target_link_options(edgeemo PRIVATE -Wl,--no-undefined)
endif()

include(CMakePackageConfigHelpers)
configure_file(edgeemo.pc.in edgeemo.pc @ONLY)
write_basic_package_version_file(edgeemoConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(TARGETS edgeemo EXPORT edgeemo LIBRARY DESTINATION ${native}lib)
install(FILES include/edgeemo/edgeemo.h DESTINATION ${native}include/edgeemo)
install(EXPORT edgeemo NAMESPACE edgeemo:: FILE edgeemoConfig.cmake DESTINATION ${native}lib/cmake/edgeemo)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/edgeemoConfigVersion.cmake DESTINATION ${native}lib/cmake/edgeemo)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/edgeemo.pc DESTINATION ${native}lib/pkgconfig)
