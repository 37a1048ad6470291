package main

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestVanishedClients: the system ends connections whose clients have vanished, also those that are accepted.
func TestVanishedClients(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{Control: endVanished}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		if within := time.Duration(got) * time.Millisecond; err != nil || within != vanishedAfter {
			t.Errorf("%v: the connection of a client that vanished ends after %v, want %v", err, within, vanishedAfter)
		}
	}); err != nil {
		t.Fatal(err)
	}
}
