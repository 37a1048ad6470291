package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/api"
)

// A page is a kind of page.
type page struct {
	// pattern is its path for http.ServeMux.
	pattern string
	// nav is its name in the navigation. Pages without one are not in it.
	nav string
	// key opens the page after g.
	key   string
	title string
	// template is the file in templates, without .html, that defines "main".
	template string
	// load returns the data of the template.
	load func(*view) (any, error)
}

// pages lists the pages, in the order of the navigation.
var pages = []page{
	{pattern: "/{$}", nav: "Fleet", key: "f", title: "Fleet", template: "fleet", load: loadFleet},
	{pattern: "/hosts/{id}", title: "Host", template: "host", load: loadHost},
	{pattern: "/why-not", nav: "Why not", key: "w", title: "Why not", template: "why-not", load: loadPlacing},
	{pattern: "/runtimes", nav: "Runtimes", key: "r", title: "Runtimes", template: "runtimes", load: loadRuntimes},
	{pattern: "/runtimes/{ref}", title: "Runtime", template: "runtime", load: loadRuntime},
	{pattern: "/actions", nav: "Actions", key: "a", title: "Actions", template: "actions", load: loadSubjects},
	{pattern: "/changes", nav: "Changes", key: "c", title: "Changes", template: "changes", load: loadChanges},
	{pattern: "/status", nav: "Status", key: "s", title: "Status", template: "status", load: loadStatus},
}

// A view is a request while its page is made.
type view struct {
	web       *Web
	writer    http.ResponseWriter
	header    http.Header
	request   *http.Request
	principal api.Principal
	status    int
	title     string
	same      []equivalent
	// live is the relative address of the stream that the page follows. It is empty for a page that is not live.
	live string
}

// liveAddress is the stream of live pages, from the root. It is one for all, so that tabs can share it.
const liveAddress = "live?include=status"

func (w *Web) view(rw http.ResponseWriter, r *http.Request) *view {
	return &view{web: w, writer: rw, header: rw.Header(), request: r, status: http.StatusOK}
}

// page returns the handler of a page.
func (w *Web) page(p *page) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		v := w.view(rw, r)
		v.title = p.title
		var err error
		if v.principal, err = w.api.Principal(r); err != nil {
			w.fail(v, refused(err))
			return
		}
		data, err := p.load(v)
		if err != nil {
			w.fail(v, err)
			return
		}
		w.render(v, p, data)
	})
}

// A layout is what the template of all pages needs.
type layout struct {
	// Root is the relative address of the page's root.
	Root  string
	Title string
	// Here is the template of the page.
	Here string
	Nav  []page
	// Reader is the name of the principal, and MayOperate whether it has the scope operate.
	Reader     string
	MayOperate bool
	// MaySignIn reports whether the page signs readers in, and SignedIn whether it signed this one in.
	MaySignIn, SignedIn bool
	Same                []equivalent
	Live                string
	// Back is the address of the host whose form failed, from the root. It is empty for other pages.
	Back   string
	Assets map[string]string
	Data   any
	web    *Web
}

// Command returns what to type for a program.
func (l layout) Command(program string) string { return l.web.command(program) }

// Typeable returns a text with its commands as they are typed.
func (l layout) Typeable(text string) string {
	return strings.ReplaceAll(text, "`attune ", "`"+l.Command("attune")+" ")
}

// Pattern returns the path of a page from the root.
func (p page) Pattern() string { return strings.TrimPrefix(strings.TrimSuffix(p.pattern, "{$}"), "/") }

// Nav returns the name in the navigation.
func (p page) Nav() string { return p.nav }

// Key returns the key that opens the page.
func (p page) Key() string { return p.key }

// IsHere reports whether the page has a template.
func (p page) IsHere(template string) bool { return p.template == template }

// render writes a page, compressed if the reader accepts that.
func (w *Web) render(v *view, p *page, data any) {
	l := layout{
		Root: rootOf(v.request), Title: v.title, Here: p.template, Reader: v.principal.Name, MayOperate: v.principal.May(api.Operate),
		Same: v.same, Live: v.live, Assets: assetNames, Data: data, web: w,
	}
	if w.sessions != nil {
		l.MaySignIn, l.SignedIn = true, l.Reader != "" && w.sessions.Has(v.request)
	}
	if id := v.request.PathValue("id"); id != "" && v.status == http.StatusBadRequest && v.request.Method == http.MethodPost {
		l.Back = "hosts/" + url.PathEscape(id)
	}
	if l.Title == "" {
		l.Title = p.title
	}
	for i := range pages {
		if pages[i].nav != "" {
			l.Nav = append(l.Nav, pages[i])
		}
	}
	var text bytes.Buffer
	if err := templates()[p.template].ExecuteTemplate(&text, "layout", l); err != nil {
		w.log.ErrorContext(v.request.Context(), "page failed", "path", v.request.URL.Path, "error", err)
		v.header.Set("Content-Type", "text/plain; charset=utf-8")
		v.writer.WriteHeader(http.StatusInternalServerError)
		_, _ = v.writer.Write([]byte("the page could not be made; the server's log has the error\n"))
		return
	}
	v.header.Set("Content-Type", "text/html; charset=utf-8")
	write(v.writer, v.request, v.status, text.Bytes())
}

// write writes a text, compressed if the client accepts that. Pages hold no secrets, so their compressed length
// reveals none.
func write(rw http.ResponseWriter, r *http.Request, status int, text []byte) {
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var small bytes.Buffer
		z := gzip.NewWriter(&small)
		_, _ = z.Write(text) // memory takes everything
		_ = z.Close()
		rw.Header().Set("Content-Encoding", "gzip")
		text = small.Bytes()
	}
	rw.Header().Set("Content-Length", strconv.Itoa(len(text)))
	rw.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = rw.Write(text) // the reader has gone
	}
}
