# edgeemo-probe, the program that tries a GPU in a process of its own. CMake installs the program into a folder beside
# the library, where libedgeemo.so and the Python module look for the program.
add_executable(edgeemo-probe probe/main.cpp)
target_include_directories(edgeemo-probe PRIVATE src)
target_link_libraries(edgeemo-probe PRIVATE edgeemo_core)
target_link_options(edgeemo-probe PRIVATE -Wl,--gc-sections)
if(SKBUILD)
  install(TARGETS edgeemo-probe RUNTIME DESTINATION edgeemo/native/lib/edgeemo)
elseif(EDGEEMO_LIBRARY)
  install(TARGETS edgeemo-probe RUNTIME DESTINATION lib/edgeemo)
endif()
