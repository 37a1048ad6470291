package service_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between a service and its Postgres, and breaks the line.
type proxy struct {
	*testing.T
	address, target string

	mu       sync.Mutex
	listener net.Listener // nil: connections are refused
	open     map[net.Conn]bool
	stalled  chan struct{}   // nil: bytes pass; else none do until it is closed
	dead     []chan struct{} // lines that are stalled for good
	trap     string          // a statement with this text stalls the line
	accepted int
	pumps    sync.WaitGroup
}

// throughProxy gives the URL of a database by way of a proxy.
func throughProxy(t *testing.T, direct string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{T: t, target: u.Host, address: "127.0.0.1:0", open: map[net.Conn]bool{}}
	p.resume()
	u.Host = p.address
	t.Cleanup(func() { p.cut(); p.pumps.Wait() })
	return p, u.String()
}

// cut ends all connections and refuses further ones, as a server that stops.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.unstall()
	for _, line := range p.dead {
		if line != nil { // none was stalled
			close(line)
		}
	}
	p.dead = nil
	for c := range p.open {
		_ = c.Close()
	}
	clear(p.open)
}

// stall lets nothing pass, in connections old and new, and says nothing.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = make(chan struct{})
}

// stallAt lets the line stall when a statement with a text comes by.
func (p *proxy) stallAt(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trap = text
}

// abandon leaves connections that are stalled as they are, for ever; others are
// whole.
func (p *proxy) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead, p.stalled = append(p.dead, p.stalled), nil
}

func (p *proxy) unstall() {
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}

// resume mends the line.
func (p *proxy) resume() {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unstall()
	if p.listener != nil {
		return
	}
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		p.Fatal(err)
	}
	p.listener, p.address = l, l.Addr().String()
	p.pumps.Go(func() { p.serve(l) })
}

func (p *proxy) serve(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.accepted++
		p.open[client], p.open[server] = true, true
		p.mu.Unlock()
		p.pumps.Go(func() { p.pump(server, client) })
		p.pumps.Go(func() { p.pump(client, server) })
	}
}

// pump carries bytes one way while the line is whole.
func (p *proxy) pump(to, from net.Conn) {
	defer func() {
		_, _ = to.Close(), from.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, to)
		delete(p.open, from)
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		if p.trap != "" && bytes.Contains(buffer[:n], []byte(p.trap)) {
			p.trap, p.stalled = "", make(chan struct{})
		}
		stalled := p.stalled
		p.mu.Unlock()
		if stalled != nil {
			<-stalled
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err == io.EOF || err != nil {
			return
		}
	}
}

// connections is how many there were so far.
func (p *proxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// held is how many connections are open now, on both sides of the proxy.
func (p *proxy) held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}
