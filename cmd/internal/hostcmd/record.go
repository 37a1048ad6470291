package hostcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

type recordCmd struct {
	definitionFlags
	File  string `arg:"" optional:"" help:"File to write; - is standard output (default: -)." placeholder:"FILE"`
	Force bool   `help:"Replace the file if it exists."`
}

// Run detects while noting every answer of the host.
func (c *recordCmd) Run(ctx context.Context, env *cli.Env, role metadata.Role) error {
	if env.JSON {
		return cli.Usagef("a recording is YAML; record has no --json")
	}
	if c.File == "-" {
		c.File = ""
	}
	if c.File != "" && !c.Force {
		if _, err := os.Lstat(c.File); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("record to %s: the file exists; --force replaces it", c.File)
		}
	}
	if err := host.Supported(); err != nil {
		return fmt.Errorf("record this host: %w", err)
	}
	db, err := openToLook(ctx, env)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close()
	}
	// Declared runtimes are ignored: a recording holds the host's answers.
	env.File.Worker.Capabilities.Runtimes, env.File.Sensor.Capabilities.Runtimes = nil, nil
	recorder := host.NewRecorder(localHost(env))
	progress := newProgress(env.Err)
	det, err := c.detector(ctx, env, role, db, detect.Config{
		Host: recorder, Progress: progress.update, Getenv: func(string) string { return "" },
	})
	if err != nil {
		return err
	}
	caps, err := det.Detect(ctx)
	progress.clear()
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	var text bytes.Buffer
	if _, err := recorder.WriteTo(&text); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if c.File == "" {
		_, err := env.Out.Write(text.Bytes())
		return err
	}
	if err := writeWhole(c.File, text.Bytes()); err != nil {
		return fmt.Errorf("record to %s: %w", c.File, err)
	}
	env.Err.Printf("recorded %s in %s; read it before you pass it on, then try: `%s detect --host %s`\n",
		cli.Count(len(caps.Runtimes), "runtime"), c.File, role, host.CommandLine(c.File, nil))
	return nil
}

// writeWhole writes a file so that it is there whole or not at all.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return errors.Unwrap(err) // without the temporary file's name
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
