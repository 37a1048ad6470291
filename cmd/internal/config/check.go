package config

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
)

// CheckPort returns an error if a worker cannot be reached at a port.
func CheckPort(port int) error {
	if port < 1 || port > MaxPort {
		return fmt.Errorf("must be from 1 to %d, got %d", MaxPort, port)
	}
	return nil
}

// CheckType returns an error if workers have no such type.
func CheckType(name string) error {
	switch schema.WorkerType(name) {
	case schema.WorkerLocal, schema.WorkerRemote, schema.WorkerContainer:
		return nil
	}
	return fmt.Errorf("must be local, remote or container, got %q", name)
}

// ListenAddress returns the host and port of an address that a service listens on. An
// address without a host means this machine alone.
func ListenAddress(address string) (hostname, port string, err error) {
	full := address
	if !strings.Contains(address, ":") {
		full = ":" + address
	}
	hostname, port, err = net.SplitHostPort(full)
	if err == nil && port != "" {
		_, err = net.DefaultResolver.LookupPort(context.Background(), "tcp", port) // services are looked up in a file
	}
	if err != nil || port == "" {
		return "", "", fmt.Errorf("must be [HOST]:PORT, got %q", address)
	}
	if hostname == "" {
		hostname = "127.0.0.1"
	}
	return hostname, port, nil
}

// check returns why the programs refuse the value of a key, or nil. The types of values
// are those of Setting.
func check(key string, value any) error {
	section, name, _ := strings.Cut(key, ".")
	text, _ := value.(string)
	list, _ := value.([]string)
	number, _ := value.(int)
	switch {
	case key == "database.url":
		return database.CheckURL(text)
	case key == "lock_timeout":
		span, err := answer.ParseSpan(text)
		if err == nil && span <= 0 {
			err = fmt.Errorf("must be greater than 0, got %v", span)
		}
		return err
	case section == "policy":
		_, err := host.NewPolicy(map[string]host.PolicyConfig{
			"mode": {Mode: host.Mode(text)}, "allow": {Allow: list}, "deny": {Deny: list}, "env": {Env: list},
		}[name])
		if wrong := (*host.PolicyError)(nil); errors.As(err, &wrong) {
			return wrong.Err // Setting has the key
		}
		return err
	case name == "type":
		return CheckType(text)
	case name == "port":
		return CheckPort(number)
	case name == "listen":
		_, _, err := ListenAddress(text)
		return err
	case name == "report_only" && !slices.Contains(ReportOnly, text):
		return fmt.Errorf("must be auto, true or false, got %q", text)
	}
	return checkTime(name, text, number)
}

// checkTime returns why a service refuses an interval or a count, or nil.
func checkTime(name, text string, number int) error {
	span, err := time.ParseDuration(text)
	var cfg service.Config
	switch name {
	case "heartbeat_interval":
		cfg.HeartbeatInterval = span
	case "verify_interval":
		cfg.VerifyInterval = span
	case "unconfirmed_for":
		cfg.UnconfirmedFor = span
	case "keep_history":
		cfg.KeepHistory = span
		if span == 0 {
			cfg.KeepHistory = -1
		}
	case "full_every":
		cfg.FullEvery, err = number, nil
	default:
		return nil
	}
	var wrong *service.ConfigError
	switch {
	case err == nil && span == 0 && number == 0 && name != "keep_history":
		return errors.New("must be greater than 0, got " + strconv.Quote(text))
	case errors.As(cfg.Check(), &wrong):
		return errors.New(wrong.Reason)
	}
	return nil
}
