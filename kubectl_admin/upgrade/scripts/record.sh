# A part of jobs: how each step of a node's upgrade ended, on the disk, where it outlives a loss of power.
# record DIRECTORY STEP TARGET MODE CODE
#   DIRECTORY: of all records; its parent is there. CODE: «-» while the step is at work, then its exit code.
# Returns another code than 0 where it could not be written; the former record is there then.
record() {
  (
    umask 077
    # A chain, since nothing ends by itself where a caller asks how it went.
    mkdir -p -- "$1" &&
      printf '%s %s %s\n' "$3" "$4" "$5" > "$1/.$2" &&
      on_disk "$1/.$2" &&
      mv -f -- "$1/.$2" "$1/$2" &&
      on_disk "$1"
  )
}

# Returns when a file is on the disk: before it gets its name, or after a loss of power an empty one may have it.
on_disk() { sync "$1" 2> /dev/null || sync; }
