{{- define "volume-snapshotter.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* A release that is called volume-snapshotter does not say so twice. */}}
{{- define "volume-snapshotter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 53 | trimSuffix "-" }}
{{- else if contains (include "volume-snapshotter.name" .) .Release.Name -}}
{{ .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "volume-snapshotter.name" .) | trunc 53 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "volume-snapshotter.selector" -}}
app.kubernetes.io/name: {{ include "volume-snapshotter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "volume-snapshotter.labels" -}}
{{ include "volume-snapshotter.selector" . }}
app.kubernetes.io/component: scheduler
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "volume-snapshotter.account" -}}
{{ default (include "volume-snapshotter.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- /* Objects of the cluster are shared by all namespaces, so their names say which release they are of. */}}
{{- define "volume-snapshotter.clustername" -}}
{{ printf "%s-%s" .Release.Namespace (include "volume-snapshotter.fullname" .) | trunc 230 }}
{{- end }}

{{- /*
A role and its binding, with the rules of the kustomize files, so that both ways to install grant the
same. Takes the root context, the file without .yaml, and a suffix of the names.
*/}}
{{- define "volume-snapshotter.role" -}}
{{- $file := printf "files/k8s/%s.yaml" .file }}
{{- $role := .root.Files.Get $file | required (printf "%s is missing in the chart" $file) | fromYaml }}
{{- $cluster := eq $role.kind "ClusterRole" }}
{{- $name := printf "%s%s" (include (ternary "volume-snapshotter.clustername" "volume-snapshotter.fullname" $cluster) .root) .suffix }}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $role.kind }}
metadata:
  name: {{ $name }}
  {{- if not $cluster }}
  namespace: {{ .root.Release.Namespace }}
  {{- end }}
  labels:
    {{- include "volume-snapshotter.labels" .root | nindent 4 }}
rules:
  {{- range $rule := $role.rules }}
  {{- if and (has "leases" $rule.resources) (hasKey $rule "resourceNames") }}
  {{- $rule = set $rule "resourceNames" (list (include "volume-snapshotter.lease" $.root)) }}
  {{- end }}
  {{- if and (has "configmaps" $rule.resources) (hasKey $rule "resourceNames") }}
  {{- $rule = set $rule "resourceNames" (list (include "volume-snapshotter.proofs" $.root)) }}
  {{- end }}
  - {{- $rule | toYaml | nindent 4 }}
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $role.kind }}Binding
metadata:
  name: {{ $name }}
  {{- if not $cluster }}
  namespace: {{ .root.Release.Namespace }}
  {{- end }}
  labels:
    {{- include "volume-snapshotter.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $role.kind }}
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "volume-snapshotter.account" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{- define "volume-snapshotter.proofs" -}}
{{ index .Values.settings "proofs" | default (printf "%s-proofs" (include "volume-snapshotter.fullname" .)) }}
{{- end }}

{{- define "volume-snapshotter.lease" -}}
{{ index .Values.settings "lease-name" | default (include "volume-snapshotter.fullname" .) }}
{{- end }}
