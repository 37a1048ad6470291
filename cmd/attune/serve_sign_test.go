package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
)

// TestServeSignIn opens the link that the server prints, as a browser does. The token stands neither in the link nor
// in what a browser keeps.
func TestServeSignIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := serve(t)
		token := s.wait(`for this run: (\S+)`)
		link := s.wait(`open once within an hour: (\S+)`)
		if !strings.HasPrefix(link, s.url+"/ui/sign-in?code=") || strings.Contains(link, strings.TrimPrefix(token, "att_0_")) {
			t.Fatalf("%s", link)
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar}
		request := func(method, address string, form url.Values) (status int, at, text string) {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			got, err := browser.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			body, err := io.ReadAll(got.Body)
			if err != nil {
				t.Fatal(err)
			}
			return got.StatusCode, got.Request.URL.String(), string(body)
		}
		if status, at, _ := request(http.MethodGet, s.url+"/", nil); status != http.StatusOK || at != s.url+"/ui/sign-in" {
			t.Errorf("before: %d at %s", status, at)
		}
		_, _, text := request(http.MethodGet, link, nil)
		code := regexp.MustCompile(`name="code" value="([^"]+)"`).FindStringSubmatch(text)
		if code == nil {
			t.Fatalf("no form in\n%s", text)
		}
		if status, at, text := request(http.MethodPost, s.url+"/ui/sign-in", url.Values{"code": code[1:]}); status != http.StatusOK || at != s.url+"/ui/" || !strings.Contains(text, "web-1") {
			t.Errorf("the link: %d at %s\n%s", status, at, text)
		}
		if status, _, text := request(http.MethodPost, s.url+"/v1/workers/1/refresh", nil); status != http.StatusAccepted {
			t.Errorf("the API by the cookie: %d %s", status, text)
		}
		at, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range jar.Cookies(at) {
			if strings.Contains(cookie.Value, strings.TrimPrefix(token, "att_0_")) {
				t.Errorf("the cookie has the token: %v", cookie)
			}
		}
		if status, _, _ := request(http.MethodPost, s.url+"/ui/sign-in", url.Values{"code": code[1:]}); status != http.StatusUnauthorized {
			t.Errorf("the link again: %d", status)
		}
		if log := s.errOut.String(); strings.Count(log, code[1]) != 1 || strings.Count(log, token) != 1 {
			t.Errorf("the log has more than the link and the token:\n%s", log)
		}
	})
}
