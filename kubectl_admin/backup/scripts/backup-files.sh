# Prints files with their modes and contents, all files below directories, and links as links.
# backup-files.sh EACH TOGETHER MANY EXCEPT PATH...
#   EACH, TOGETHER: bytes of a file, and of all files, that are printed. MANY: entries that are.
#   EXCEPT: a directory that is passed over. PATH: a file, or with «/» at its end a directory; the important ones first
# The links of a PATH are followed, and printed; so are those below a directory, but not to directories.
# Answers entries «KIND MODE UID GID SIZE CHANGED SHA256», a newline, the path, a NUL, and for
#   file: its SIZE bytes. Where it changes or ends meanwhile, they are not those of SHA256, and may be zeros.
#   link: where it leads, a NUL. directory, absent: nothing
#   long, much, many, special, unread: nothing, for what is not printed and why: it is longer than EACH; all were longer
#   than TOGETHER; there were more than MANY; it is a socket, a pipe or a device, which are never opened; it can't be read
set -eu
each=$1 together=$2 many=$3 except=$4
shift 4
LC_ALL=C
export LC_ALL
seen=//    # paths between «//», which no path has in it
count=0

is_new() { # PATH: and from now on it is not
  case $seen in *"//$1//"*) return 1 ;; esac
  count=$((count + 1))
  if [ "$count" -gt "$many" ]; then
    [ "$count" -gt $((many + 1)) ] || printf 'many 0 0 0 0 0 -\n%s\0' "$1"
    return 1
  fi
  seen=$seen$1//
}
without() { printf '%s 0 0 0 0 0 -\n%s\0' "$1" "$2"; } # KIND PATH
about() { stat -c '%a %u %g %s %Y' -- "$1" 2> /dev/null; }

file() { # PATH, which has no link in it
  is_new "$1" || return 0
  if [ ! -f "$1" ]; then
    if [ -e "$1" ]; then without special "$1"; else without absent "$1"; fi
    return
  fi
  facts=$(about "$1") || { without absent "$1"; return; }
  rest=${facts#* * * } size=${rest%% *}
  if [ "$size" -gt "$each" ]; then without long "$1"; return; fi
  if [ "$size" -gt "$together" ]; then without much "$1"; return; fi
  sum=$(sha256sum < "$1" 2> /dev/null) || { without unread "$1"; return; }
  together=$((together - size))
  printf 'file %s %s\n%s\0' "$facts" "${sum%% *}" "$1"
  # Whatever becomes of the file, so many bytes are sent as were announced.
  cat -- "$1" /dev/zero 2> /dev/null | head -c "$size"
}

directory() { # PATH, which has no link in it
  [ "$1" != "$except" ] || return 0
  is_new "$1" || return 0
  facts=$(about "$1") || { without absent "$1"; return; }
  if [ ! -r "$1" ] || [ ! -x "$1" ]; then without unread "$1"; return; fi
  printf 'directory %s -\n%s\0' "$facts" "$1"
  for entry in "$1"/.[!.]* "$1"/..?* "$1"/*; do
    if [ -L "$entry" ]; then
      follow "$entry"
    elif [ -d "$entry" ]; then
      directory "$entry"
    elif [ -e "$entry" ]; then
      file "$entry"
    fi
  done
}

follow() { # PATH [all]: prints the links that it leads through, and its file; «all»: or all below its directory
  rest=$1/ real='' hops=0
  while [ -n "$rest" ]; do
    part=${rest%%/*} rest=${rest#*/}
    case $part in
      '' | .) continue ;;
      ..) real=${real%/*} && continue ;;
    esac
    real=$real/$part
    [ -L "$real" ] || continue
    hops=$((hops + 1))
    if [ "$hops" -gt 40 ]; then without unread "$1"; return; fi
    # A newline at its end would be lost.
    target=$(readlink -n -- "$real" && printf /) || { without absent "$real"; return; }
    target=${target%/}
    if is_new "$real"; then
      facts=$(about "$real") || facts='777 0 0 0 0'
      printf 'link %s -\n%s\0%s\0' "$facts" "$real" "$target"
    fi
    rest=$target/$rest
    case $target in
      /*) real='' ;;
      *) real=${real%/*} ;;
    esac
  done
  if [ ! -d "$real" ]; then
    file "$real"
  elif [ "${2-}" = all ]; then
    directory "$real"
  fi
}

for path; do
  case $path in
    */) follow "$path" all ;;
    *) follow "$path" ;;
  esac
done
printf '\n# end\n'
