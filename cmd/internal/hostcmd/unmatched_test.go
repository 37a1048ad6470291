//go:build unix

package hostcmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/metadata"
)

// TestPolicyInVain: an entry that allows, denies or trusts nothing is warned of,
// with a guess, and refused by --strict.
func TestPolicyInVain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolate(t)
		ownPolicy(t)
		bin := tools(t, map[string]string{"python3": python, "python3.11": python})
		insert(t, db, "acme.cobol", "cobol", `{"verification": {"commands": [{"binary": "cobc", "args": ["--info"]}], "locations": ["/opt/*/bin/cobc-[0-9]"]}}`)
		if err := os.MkdirAll("packs/acme", 0o755); err != nil {
			t.Fatal(err)
		}
		detect := func(policy string, flags ...string) answer {
			t.Helper()
			if err := os.WriteFile("a.yaml", []byte("policy:\n  "+policy+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return run(t, metadata.Worker, append([]string{"detect", "--database", db.URL, "--config", "a.yaml"}, flags...)...)
		}
		for policy, say := range map[string]string{
			"deny: [perl, pyhton]":           `a.yaml:2: policy.deny[1]: "pyhton" denies nothing: no runtime, no command of a definition and no executable here has this name; did you mean python?`,
			"deny: [Coboll]":                 `policy.deny[0]: "Coboll" denies nothing`,
			"deny: ['cobc -v']":              `"cobc -v" denies nothing: no runtime, no command of a definition and no executable here has this name; did you mean cobc --info?`,
			"deny: [/no/such/thing]":         `"/no/such/thing" denies nothing`,
			"allow: ['cobc --infos']":        `policy.allow[0]: "cobc --infos" allows nothing: no definition has this command; did you mean cobc --info?`,
			"allow: [cobc]":                  `"cobc" allows nothing: no definition has this command; an entry has the command's arguments too, such as cobc --info`,
			"allow: [cobcc -v]":              `"cobcc -v" allows nothing: no definition has this command; did you mean cobc --info?`,
			"allow: [/opt/a/bin/cobc-x *]":   `"/opt/a/bin/cobc-x *" allows nothing`,
			"trusted_packs: [packs/acmee]":   "packs/acmee is not trusted: open the pack's folder: no such file or directory; did you mean " + cwd(t) + "/packs/acme?",
			"trusted_packs: [/no/such/pack]": "/no/such/pack is not trusted: open the pack's folder: no such file or directory",
		} {
			got := detect(policy)
			want(t, got, 0, "warning: ", say)
			if strings.Count(got.errOut, "warning: ") != 1 {
				t.Errorf("%s: not one warning:\n%s", policy, got.errOut)
			}
			want(t, detect(policy, "--strict"), cli.ExitFailed, say)
		}
		want(t, detect("{deny: [pyhton], trusted_packs: [/no/such/pack, /no/other/pack]}", "--strict"), cli.ExitFailed,
			"/no/such/pack is not trusted", "/no/other/pack is not trusted", `"pyhton" denies nothing`)
		for _, policy := range []string{
			"deny: [perl, python, acme.cobol, COBOL, cobc, 'cobc *', cobc-3, python3.11, " + filepath.Join(bin, "python3") + ", /usr/local/bin/cobc]",
			"allow: ['cobc --info', 'cobc *', /opt/a/bin/cobc-3 --info, /usr/local/bin/cobc *]",
		} {
			if got := detect(policy, "--strict"); got.status != 0 || strings.Contains(got.errOut, "warning") {
				t.Errorf("%s: exit status %d\n%s", policy, got.status, got.errOut)
			}
		}
	})
}
