#include <string>
#include <vector>

#include "fs/daemon.h"

int main(int argc, char** argv) {
  return lunfs::fs::run_program(argv[0], std::vector<std::string>(argv + 1, argv + argc));
}
