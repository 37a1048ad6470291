package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func TestRegisterRefusesNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for name, says := range map[string]string{
			"":                       "must not be empty",
			"a\x1b[2Jb":              `must not contain control characters, got "a\x1b[2Jb"`,
			"a\nb":                   "control character",
			"a\u0085b":               "control character",
			"a\xffb":                 "must be UTF-8",
			strings.Repeat("x", 256): "must have at most 255 bytes, got 256",
		} {
			_, _, err := e.Workers.Register(t.Context(), store.Registration{Name: name, Role: metadata.Worker})
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), says) {
				t.Errorf("Register %q: %v, want ErrInvalid with %q", name, err, says)
			}
		}
		for _, name := range []string{"host 1", "höst/1", strings.Repeat("x", 255)} {
			if _, _, err := e.Workers.Register(t.Context(), store.Registration{Name: name, Role: metadata.Worker}); err != nil {
				t.Errorf("Register %q: %v", name, err)
			}
		}
	})
}

// A registration of a row that is there draws no id. (Postgres' sequences do, as
// they do for every insert that meets a row.)
func TestRegisterDrawsNoIDs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		if e.postgres {
			t.Skip("its sequences have gaps in any case")
		}
		for range 3 {
			for i, name := range []string{"one", "two"} {
				row, _, err := e.Workers.Register(t.Context(), store.Registration{Name: name, Role: metadata.Worker})
				if err != nil || row.ID != int64(i+1) {
					t.Fatalf("%s: got %+v, %v; want id %d", name, row, err, i+1)
				}
			}
		}
		row, _, err := e.Workers.Register(t.Context(), store.Registration{Name: "three", Role: metadata.Worker})
		if err != nil || row.ID != 3 {
			t.Errorf("got %+v, %v; want id 3", row, err)
		}
	})
}
