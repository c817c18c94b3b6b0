# nomad job run headgate.nomad.hcl
job "headgate" {
  datacenters = ["dc1"]
  type        = "service"

  # One at a time: the old one lets go of the state before the new one takes it.
  update {
    max_parallel     = 1
    min_healthy_time = "10s"
    healthy_deadline = "2m"
    auto_revert      = true
  }

  group "controller" {
    count = 1

    network {
      port "xds" { static = 18000 }
      port "http" { static = 8080 }
    }

    # A host volume or CSI volume that follows the job; without one a restart elsewhere begins anew, from Git.
    volume "state" {
      type   = "host"
      source = "headgate"
    }

    restart {
      attempts = 10
      interval = "5m"
      delay    = "2s"
      mode     = "delay"
    }

    task "headgate" {
      driver       = "docker"
      kill_timeout = "15s"

      config {
        image           = "headgate:0.1.0"
        args            = ["serve", "--config", "/local/headgate.yaml"]
        ports           = ["xds", "http"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
      }

      volume_mount {
        volume      = "state"
        destination = "/data"
      }

      template {
        destination = "local/headgate.yaml"
        data        = <<-YAML
          repo: https://git.example.com/team/mesh.git
          gitTokenFile: /secrets/git-token
          xds: 0.0.0.0:18000
          xdsCert: /secrets/xds.crt
          xdsKey: /secrets/xds.key
          xdsTokenKey: /secrets/xds-token-key
          http: 0.0.0.0:8080
          tokensFile: /secrets/api-tokens
          logFormat: json
        YAML
      }

      template {
        destination = "secrets/git-token"
        data        = "{{ with nomadVar \"nomad/jobs/headgate\" }}{{ .git_token }}{{ end }}"
      }
      template {
        destination = "secrets/api-tokens"
        data        = "{{ with nomadVar \"nomad/jobs/headgate\" }}{{ .api_tokens }}{{ end }}"
      }
      template {
        destination = "secrets/xds-token-key"
        data        = "{{ with nomadVar \"nomad/jobs/headgate\" }}{{ .xds_token_key }}{{ end }}"
      }
      template {
        destination = "secrets/xds.crt"
        data        = "{{ with nomadVar \"nomad/jobs/headgate\" }}{{ .xds_crt }}{{ end }}"
      }
      template {
        destination = "secrets/xds.key"
        data        = "{{ with nomadVar \"nomad/jobs/headgate\" }}{{ .xds_key }}{{ end }}"
      }

      service {
        name     = "headgate-xds"
        provider = "nomad"
        port     = "xds"
      }

      service {
        name     = "headgate"
        provider = "nomad"
        port     = "http"

        check {
          type     = "http"
          path     = "/livez"
          interval = "10s"
          timeout  = "3s"
        }
      }

      resources {
        cpu    = 500
        memory = 512
      }
    }
  }
}
