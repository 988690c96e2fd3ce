# For 64-bit ARM boards from another machine: cmake -S cpp -B build -DCMAKE_TOOLCHAIN_FILE=toolchains/aarch64.cmake
# Takes Debian's and Ubuntu's cross compiler (apt-get install g++-aarch64-linux-gnu). To run tests under emulation, too:
# -DCMAKE_CROSSCOMPILING_EMULATOR="qemu-aarch64-static;-cpu;cortex-a72;-L;/usr/aarch64-linux-gnu"
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# programs (Python, CMake packages) of this machine; headers and libraries of the board's
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(PYBIND11_USE_CROSSCOMPILING ON)
