// Reads YAML the way Helm does and says what it saw.
//
// Each line of standard input is one case, {"id": any, "text": "…"}; each line of standard output answers one case, in order:
// {"id": any, "json": "…"} with the document as JSON text, or {"id": any, "error": "…"}.
//
// With "stream": true the text is read as that of a hook: {"id": any, "json": "[…]"} has what Helm's client decodes, and beside it,
// if that ends with one, the error; "head" is what the sorter decodes.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	decoder "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type question struct {
	ID     json.RawMessage `json:"id"`
	Text   string          `json:"text"`
	Stream bool            `json:"stream"`
}

type answer struct {
	ID    json.RawMessage `json:"id"`
	JSON  *string         `json:"json,omitempty"`
	Error string          `json:"error,omitempty"`
	Head  *head           `json:"head,omitempty"`
}

// head is what Helm's sorter decodes of a document: SimpleHead of Helm's releaseutil.
type head struct {
	Version  string `json:"apiVersion"`
	Kind     string `json:"kind,omitempty"`
	Metadata *struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "yaml reader:", err)
		os.Exit(1)
	}
}

func run(input io.Reader, output io.Writer) error {
	questions := json.NewDecoder(bufio.NewReader(input))
	buffered := bufio.NewWriter(output)
	answers := json.NewEncoder(buffered)
	answers.SetEscapeHTML(false)
	for {
		var asked question
		if err := questions.Decode(&asked); err == io.EOF {
			return buffered.Flush()
		} else if err != nil {
			return fmt.Errorf("cannot read a case: %w", err)
		}
		if err := answers.Encode(read(asked)); err != nil {
			return fmt.Errorf("cannot write an answer: %w", err)
		}
		// Whoever asks one case at a time waits for its answer.
		if err := buffered.Flush(); err != nil {
			return fmt.Errorf("cannot write an answer: %w", err)
		}
	}
}

// read answers one case; a panic of the library is an answer too, as it would be the end of Helm.
func read(asked question) (reply answer) {
	reply.ID = asked.ID
	defer func() {
		if cause := recover(); cause != nil {
			reply.JSON, reply.Error = nil, fmt.Sprintf("panic: %v", cause)
		}
	}()
	if asked.Stream {
		return stream(reply, asked.Text)
	}
	converted, err := yaml.YAMLToJSON([]byte(asked.Text))
	if err != nil {
		reply.Error = err.Error()
		return reply
	}
	text := string(converted)
	reply.JSON = &text
	return reply
}

// stream reads the text of a hook: as manifest_sorter.go of Helm's releaseutil, and as StreamVisitor of cli-runtime does.
func stream(reply answer, text string) answer {
	reply.Head = &head{}
	if err := yaml.Unmarshal([]byte(text), reply.Head); err != nil {
		reply.Head, reply.Error = nil, err.Error()
		return reply
	}
	objects := []json.RawMessage{}
	documents := decoder.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		extension := runtime.RawExtension{}
		if err := documents.Decode(&extension); err == io.EOF {
			break
		} else if err != nil {
			reply.Error = err.Error()
			break
		}
		raw := bytes.TrimSpace(extension.Raw)
		if len(raw) != 0 && !bytes.Equal(raw, []byte("null")) {
			objects = append(objects, raw)
		}
	}
	converted, err := json.Marshal(objects)
	if err != nil {
		reply.Error = err.Error()
		return reply
	}
	all := string(converted)
	reply.JSON = &all
	return reply
}
