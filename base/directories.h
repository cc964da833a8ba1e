#pragma once

#include <optional>
#include <string>

namespace lunfs {

/// An environment variable that is to hold an absolute path; nullopt if it does not: relative ones
/// are ignored, as the XDG base directory specification asks.
std::optional<std::string> directory_in_environment(const char* name);

/// The home of this process's user: $HOME, else what the list of users says. mount(8) takes HOME
/// away when it mounts for an ordinary user, and mount.fuse3 then sets root's: that one counts for
/// root only. nullopt for a user without a home.
std::optional<std::string> home_directory();

/// $XDG_CONFIG_HOME, ~/.config by default; nullopt for a user without a home.
std::optional<std::string> config_home();

}  // namespace lunfs
