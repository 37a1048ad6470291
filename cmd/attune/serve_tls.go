package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// A keyPair is a certificate in files, which can be renewed while the server runs.
type keyPair struct {
	cert, key string
	current   atomic.Pointer[tls.Certificate]
}

// newKeyPair reads a certificate and its key.
func newKeyPair(cert, key string) (*keyPair, error) {
	p := &keyPair{cert: cert, key: key}
	return p, p.read()
}

func (p *keyPair) read() error {
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("read the certificate %s and its key: %w", p.cert, err)
	}
	p.current.Store(&pair)
	return nil
}

func (p *keyPair) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.current.Load(), nil },
	}
}

// follow reads the files again at each SIGHUP, until stop is called. Files that cannot be used
// leave the certificate as it is.
func (p *keyPair) follow(log *slog.Logger) (stop func()) {
	return onHangup(func() {
		if err := p.read(); err != nil {
			log.Error("the certificate cannot be used; the previous one stays", "error", err)
			return
		}
		log.Info("read the certificate again", "file", p.cert)
	})
}

// onHangup calls read at each SIGHUP, until stop is called.
func onHangup(read func()) (stop func()) {
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangups {
			read()
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}
