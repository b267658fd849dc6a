// Package web holds the demo page: an editor that shares one text per room.
//
// The page is built from src/ by build.mjs; the result in dist/ is committed and embedded, so that
// building the server needs no Node. It loads nothing from elsewhere.
package web

import (
	"bytes"
	"crypto/rand"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed dist
var bundle embed.FS

// contentTypes are those of the bundle; the tables of the operating system may say otherwise.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
}

// noncePlaceholder stands in the page where the nonce of the response goes.
const noncePlaceholder = "%NONCE%"

// Handler serves the page at "/", the files it loads beside it and the licences of the packages
// bundled with it; every other path is not found. The handler answers GET and HEAD and is safe for
// concurrent use.
//
// The page comes with a Content-Security-Policy that allows nothing but its own files and
// connections to its own origin. The names of the other files change with their content, so
// browsers may keep them.
func Handler() http.Handler {
	mux := http.NewServeMux()
	files, err := fs.ReadDir(bundle, "dist")
	if err != nil {
		panic(err) // unreachable: the folder is embedded
	}
	for _, file := range files {
		content, err := bundle.ReadFile(path.Join("dist", file.Name()))
		if err != nil {
			panic(err) // unreachable: the file is embedded
		}
		switch {
		case file.Name() == "index.html":
			mux.Handle("GET /{$}", page(content))
		case strings.HasSuffix(file.Name(), ".txt"):
			mux.Handle("GET /"+file.Name(), asset(file.Name(), content, "no-cache"))
		default:
			mux.Handle("GET /"+file.Name(), asset(file.Name(), content, "public, max-age=31536000, immutable"))
		}
	}
	return mux
}

// page serves the document with a fresh nonce, which the editor needs to add its styles.
func page(document []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		nonce := rand.Text()
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", policy(nonce))
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(bytes.ReplaceAll(document, []byte(noncePlaceholder), []byte(nonce)))
	})
}

func policy(nonce string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self' 'nonce-" + nonce + "'",
		"img-src 'self'",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

func asset(name string, content []byte, caching string) http.Handler {
	contentType := contentTypes[path.Ext(name)]
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		header := w.Header()
		header.Set("Content-Type", contentType)
		header.Set("Cache-Control", caching)
		header.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(content)
	})
}
