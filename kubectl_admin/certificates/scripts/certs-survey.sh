# Prints the facts that a renewal of this host's certificates needs: kubeadm, an earlier run's leftovers, backups.
# certs-survey.sh STATE KUBERNETES JOB
#   STATE: the directory of all that is kept here. KUBERNETES: the directory of kubeadm's files. JOB: the job's name
# Answers a «NAME VALUE» a line; a thing that is not there has no line.
#   backup NAME open|whole   the oldest first; open: not all that its renewal has made was seen in use
#   job yes|no AGE OWNER     whether the job of another run works; since how many seconds it does not
set -eu
state=$1 kubernetes=$2 job=$3

. ../../node/scripts/unit.sh

if command -v kubeadm > /dev/null && version=$(kubeadm version -o short 2> /dev/null); then
  printf 'kubeadm %s\n' "$version"
fi
settle_unit kubelet
if [ "$unit_said" = active ]; then printf 'kubelet active\n'; fi
if grep -q '^ *client-certificate-data:' "$kubernetes/kubelet.conf" 2> /dev/null; then
  printf 'kubelet.conf embedded\n'
fi
if [ -d "$state/$job" ]; then
  active=no
  settle_unit "kubectl-admin-$job.service"
  if [ "$unit_is" = running ]; then active=yes; fi
  last=$state/$job
  if [ -e "$last/result" ]; then last=$last/result; fi
  age=$(($(date +%s) - $(stat -c %Y -- "$last")))
  printf 'job %s %s %s\n' "$active" "$age" "$(head -n 1 -- "$state/$job/owner" 2> /dev/null || :)"
fi
for backup in "$state"/certificates/[!.]*/; do
  if [ ! -d "$backup" ]; then continue; fi
  backup=${backup%/}
  if [ -e "$backup/open" ]; then word=open; else word=whole; fi
  printf 'backup %s %s\n' "${backup##*/}" "$word"
done
printf '\n# end\n'
