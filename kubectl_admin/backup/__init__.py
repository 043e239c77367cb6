"""A cluster's backup: one archive with the snapshot of etcd and the files that no snapshot holds.

Read in this order:
facts: an archive, its manifest, its pieces
manifest: as JSON, and read from whoever made it
ustar, layout, paths: an archive's headers, where its pieces are, and where its entries may be put
recipients: to whom it is encrypted
named_files, named_by_files, named_by_kubelet: the files that a control plane was told to use
links: files by paths that lead through links
node_keys, differences: a control plane's keys, and control planes beside each other
gather: what goes into it, asked for at the nodes and at the API
judge: what a backup lacks, while it is made
contents, chains, judge_contents: what an archive holds, and whether it brings a cluster back
given, chosen: what a person gives, and by which options
run: makes a backup
report: how one is shown
keep: which archives stay
status: how old the newest is
seal: a piece packed and encrypted, and the other way
archive: an archive as a file
opening, opened_report: with which keys it is opened, and how it is shown
rules: what a backup is judged by
"""
