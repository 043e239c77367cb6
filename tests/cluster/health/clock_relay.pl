# perl -e … PORT TO SECONDS: answers at PORT of the loopback as TO does, but that it is so many seconds later.
use strict;
use IO::Socket::INET;
my ($port, $to, $off) = @ARGV;
$SIG{CHLD} = "IGNORE";
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Listen => 20, ReuseAddr => 1)
  or die "port $port: $!";
sub now { my $told = `date -u -d '$off seconds' '+$_[0]'`; chomp $told; return $told; }
while (1) {
  my $client = $server->accept or next;
  next if fork;    # the parent takes the next one
  my ($head, $line) = ("");
  while (defined($line = <$client>)) { $head .= $line; last if $line eq "\r\n"; }
  $head =~ s/^Connection:.*\r\n//mi;
  $head =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/;
  my $peer = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $to) or exit;
  print $peer $head;
  my $answer = do { local $/; <$peer> };
  my ($top, $body) = split /\r\n\r\n/, $answer, 2;
  my $time = now("%Y-%m-%dT%H:%M:%S.%NZ");
  $body =~ s/("currentTime":")[^"]*/$1$time/;
  $top =~ s/(Content-Length: )\d+/$1 . length $body/ei;
  my $date = now("%a, %d %b %Y %H:%M:%S GMT");
  $top =~ s/(Date: )[^\r]*/$1$date/i;
  print $client "$top\r\n\r\n$body";
  exit;
}
