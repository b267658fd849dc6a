// Package postgres runs a PostgreSQL server for tests: one of its own, in a temporary
// folder, reached through a Unix socket.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// Server is a PostgreSQL server. Its methods are not safe for concurrent use.
type Server struct {
	dir        string // of the data and the socket
	programs   string // where pg_ctl is
	credential *syscall.Credential
}

// Start makes an empty database server and starts it. Stop it with [Server.Close].
func Start(ctx context.Context) (*Server, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	// Not below the folder of a test: the path of a Unix socket has to be short.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, programs: programs}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func findPrograms() (string, error) {
	if path, err := exec.LookPath("pg_ctl"); err == nil {
		return filepath.Dir(path), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if len(found) == 0 {
		return "", errors.New("these tests need PostgreSQL: install it (Debian, Ubuntu: apt-get install postgresql)")
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

func (s *Server) prepare(ctx context.Context) error {
	if os.Geteuid() == 0 {
		// PostgreSQL does not run as root.
		if err := s.becomeNobody(); err != nil {
			return err
		}
	}
	if err := s.run(ctx, "initdb", "--auth=trust", "--username=test", "--encoding=UTF8", "--no-sync",
		"--pgdata="+s.data()); err != nil {
		return err
	}
	return s.Restart(ctx)
}

func (s *Server) becomeNobody() error {
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, int(uid), int(gid))
}

// Own gives a folder to the user that the server runs as.
func (s *Server) Own(dir string) error {
	if s.credential == nil {
		return nil
	}
	return os.Chown(dir, int(s.credential.Uid), int(s.credential.Gid))
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// URL is what a client connects to.
func (s *Server) URL() string {
	return "postgres:///?user=test&dbname=postgres&host=" + url.QueryEscape(s.dir)
}

// Restart starts the server again after Kill.
func (s *Server) Restart(ctx context.Context) error {
	settings := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories=%s -c max_connections=200", s.dir)
	return s.run(ctx, "pg_ctl", "start", "--wait", "--silent", "--pgdata="+s.data(),
		"--log="+filepath.Join(s.dir, "log"), "--options="+settings)
}

// Kill stops the server as if it crashed: what is not on the disk by then is lost.
func (s *Server) Kill(ctx context.Context) error {
	return s.run(ctx, "pg_ctl", "stop", "--mode=immediate", "--wait", "--silent", "--pgdata="+s.data())
}

// Close stops the server and removes its folder.
func (s *Server) Close() error {
	return errors.Join(s.Kill(context.Background()), os.RemoveAll(s.dir))
}

func (s *Server) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.programs, program), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.credential}
	// A file and not a pipe: the server that pg_ctl leaves behind would keep that open.
	log, err := os.CreateTemp("", "pg")
	if err != nil {
		return err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		output, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, output)
	}
	return nil
}
