# fish completion of lunfs(8) and of the tools, whose words are asked of the tools themselves.

function __lunfs_mount_options
    set -l word (commandline -ct)
    set -l before (string replace -r '[^,]*$' '' -- $word)
    for option in ro rw detached credentials= initiator= timeout= login_timeout= path_timeout= portal= portal=discover \
            cache=auto cache=none sync_on_close=yes sync_on_close=no scheduling=batch scheduling=normal vhd_cache= \
            sessions= journal= uid= gid= umask= allow_other \
            log=error log=warn log=info log=debug log_file= fsname= subtype= nodev nosuid noexec _netdev nofail noauto user \
            x-systemd.automount
        echo $before$option
    end
end

for program in lunfs mount.lunfs
    complete -c $program -s o -l options -x -a '(__lunfs_mount_options)' -d 'Mount options'
    complete -c $program -s u -l unmount -x -d 'Flush, unmount, wait for the logout' \
        -a "(awk '/ - fuse\\.lunfs / { print \$5 }' /proc/self/mountinfo)"
    complete -c $program -s f -l foreground -d 'Stay in the foreground'
    complete -c $program -s d -l debug -d 'The same, and log every request'
    complete -c $program -s h -l help -d Help
    complete -c $program -s V -l version -d Version
end

function __lunfs_tool_words
    set -l words (commandline -opc)
    set -l help ($words[1] $words[2..2] --help 2>/dev/null)
    string match -r -g '^  (-[^ ]*)' -- $help | string split ,
    if test (count $words) -eq 1
        string match -r -g '^  ([a-z][a-z-]*)' -- $help
    end
end
for tool in lunfs-iqn lunfs-sr lunfs-vdi
    complete -c $tool -n 'test (count (commandline -opc)) -eq 1' -f
    complete -c $tool -a '(__lunfs_tool_words)'
end
