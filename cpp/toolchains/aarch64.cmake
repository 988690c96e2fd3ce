# Cross-compiles for 64-bit ARM boards: cmake -S cpp -B build -DCMAKE_TOOLCHAIN_FILE=toolchains/aarch64.cmake
# The compiler is that of Debian and Ubuntu: apt-get install g++-aarch64-linux-gnu. To run the tests with an emulator:
# -DCMAKE_CROSSCOMPILING_EMULATOR="qemu-aarch64-static;-cpu;cortex-a72;-L;/usr/aarch64-linux-gnu"
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# CMake takes programs from this machine, headers and libraries from the board
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(PYBIND11_USE_CROSSCOMPILING ON)
