# A part of other scripts: the key beside a repository.
# shellcheck disable=SC2154 # packages-sources.sh says $manager, the scripts $address and $minor

# Writes the key (armoured) of the repository at ADDRESS into a file; refuses where there is none.
# fetch_key ADDRESS FILE
fetch_key() {
  case $manager in
    apt) key_address=${1%/}/Release.key ;;
    *) key_address=${1%/}/repodata/repomd.xml.key ;;
  esac
  key_shown=$(printf '%s\n' "$key_address" | without_password)
  fetched=no
  if [ "$key_address" != "$key_shown" ]; then
    fetch_by_stdin "$key_address" "$2" > "$2.said" 2>&1 && fetched=yes
  # apt's own goes the way that apt goes, through its proxy.
  elif [ -x /usr/lib/apt/apt-helper ]; then
    /usr/lib/apt/apt-helper -o Acquire::Retries=1 download-file "$key_address" "$2" > "$2.said" 2>&1 < /dev/null &&
      fetched=yes
  elif command -v curl > /dev/null; then
    curl -fsSL --retry 2 --connect-timeout 15 -o "$2" "$key_address" > "$2.said" 2>&1 < /dev/null && fetched=yes
  else
    wget -q -O "$2" "$key_address" > "$2.said" 2>&1 < /dev/null && fetched=yes
  fi
  [ "$fetched" = yes ] || refuse "the key $key_shown can't be fetched: $(reason "$2.said")"
  rm -f -- "$2.said"
  # The first packet of a public key is tag 6, in the old or the new form.
  case $(bare_key < "$2" | od -An -tx1 -N1 | tr -d ' ') in
    98 | 99 | 9a | c6) ;;
    *) refuse "$key_shown is not a key" ;;
  esac
}

# Fetches from an address with a password in it, which is never an argument: every user of a host can read those.
# fetch_by_stdin ADDRESS FILE
fetch_by_stdin() {
  if command -v curl > /dev/null; then
    curl -fsSL --retry 2 --connect-timeout 15 -o "$2" -K - << END
url = "$1"
END
  elif command -v wget > /dev/null; then
    wget -q -O "$2" -i - << END
$1
END
  else
    echo "its address has a password, and this host has neither curl nor wget"
    return 1
  fi
}

# The bytes in an armoured key.
bare_key() {
  sed -n 's/\r$//; /^-----BEGIN PGP PUBLIC KEY BLOCK-----$/,/^-----END PGP PUBLIC KEY BLOCK-----$/p' |
    sed '1,/^[ \t]*$/d; /^[-=]/d; /:/d' | base64 -d 2> /dev/null
}

# Puts the repository's own key where this host's entry of it looks for one.
renew_key() {
  rm -f key.asc
  fetch_key "$(first_of addresses "$minor" "$minor")" "$(pwd)/key.asc"
  target=$(first_of keys "$minor" "$minor")
  case $manager in
    apt)
      case $target in
        /*.asc) cp key.asc key ;;
        /*) bare_key < key.asc > key ;;
        *) refuse "the key of $address can't be renewed: its entry names no file with Signed-By" ;;
      esac
      target=${target%%,*}
      replace "$target" key
      echo "$target is renewed"
      ;;
    *)
      case $target in
        file:*)
          target=/${target#file:}
          target=/${target##*//}
          replace "$target" key.asc
          ;;
      esac
      patiently rpm --import key.asc || refuse "the key of $address could not be imported: $(reason said)"
      ;;
  esac
}
