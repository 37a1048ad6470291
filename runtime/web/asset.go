package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static/*
var staticFiles embed.FS

// assets has the text of each file of static by the name under which it is served: it contains a hash of
// the text, so that browsers may keep the file for ever. assetNames has these names.
var assets, assetNames = readAssets()

func readAssets() (texts map[string][]byte, names map[string]string) {
	texts, names = map[string][]byte{}, map[string]string{}
	files, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		panic(err) // it is embedded
	}
	for _, file := range files {
		text, err := staticFiles.ReadFile("static/" + file.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(text)
		base, ext, _ := strings.Cut(file.Name(), ".")
		name := base + "-" + hex.EncodeToString(sum[:6]) + "." + ext
		texts[name], names[file.Name()] = text, name
	}
	return texts, names
}

// kindOf has the media type of each kind of asset.
var kindOf = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

func serveAsset(rw http.ResponseWriter, r *http.Request) {
	text, ok := assets[r.PathValue("name")]
	if !ok {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", kindOf[path.Ext(r.PathValue("name"))])
	rw.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	rw.Header().Set("Vary", "Accept-Encoding")
	write(rw, r, http.StatusOK, text)
}

// templates returns the template of each page by its name. Programs with a page that they do not serve start faster
// without them.
var templates = sync.OnceValue(parseTemplates)

func parseTemplates() map[string]*template.Template {
	base := template.Must(template.New("layout").Funcs(functions).ParseFS(templateFiles, "templates/layout.html"))
	all := map[string]*template.Template{}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name != "layout" {
			all[name] = template.Must(template.Must(base.Clone()).ParseFS(templateFiles, file))
		}
	}
	return all
}
