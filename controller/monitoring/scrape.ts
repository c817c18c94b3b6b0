/** The scrape that dashboards and alerts are made for: the controller, and the Envoys' own statistics. */

export const scrapeConfig = `# Prometheus: what to scrape for Headgate's dashboards and alerts.
rule_files: [alerts.yaml]
scrape_configs:
  # The names of the jobs count: alerts ask for the job headgate.
  - job_name: headgate
    static_configs:
      - targets: ["127.0.0.1:8080"]
  # Each Envoy whose bootstrap was made with --admin. Its statistics are on its admin port, which can also stop it:
  # let it listen where Prometheus alone reaches it.
  - job_name: envoy
    metrics_path: /stats/prometheus
    static_configs:
      - targets: ["127.0.0.1:9901"]
`;
