# edgeemo-probe, the program that tries a GPU for us: it lies in a folder of its own beside the library, where both
# libedgeemo.so and Python's module find it.
add_executable(edgeemo-probe probe/main.cpp)
target_include_directories(edgeemo-probe PRIVATE src)
target_link_libraries(edgeemo-probe PRIVATE edgeemo_core)
target_link_options(edgeemo-probe PRIVATE -Wl,--gc-sections)
if(SKBUILD)
  install(TARGETS edgeemo-probe RUNTIME DESTINATION edgeemo/native/lib/edgeemo)
elseif(EDGEEMO_LIBRARY)
  install(TARGETS edgeemo-probe RUNTIME DESTINATION lib/edgeemo)
endif()
