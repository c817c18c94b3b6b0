// Package world reads the resources of the benchmark as the runner wrote them: for each type a
// DiscoveryResponse, so that all servers serve the same bytes and nobody has to agree on names.
package world

import (
	"os"
	"path/filepath"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
)

// Types in the order in which an Envoy asks for them: each named type after the one that names it.
var Types = []string{"cluster", "endpoint", "listener", "route"}

// Read returns the resources of one type.
func Read(folder, kind string) (*discovery.DiscoveryResponse, error) {
	bytes, err := os.ReadFile(filepath.Join(folder, kind))
	if err != nil {
		return nil, err
	}
	response := &discovery.DiscoveryResponse{}
	return response, proto.Unmarshal(bytes, response)
}
