"""The settings of traces; a group of app/settings."""

from pydantic import BaseModel, Field, SecretStr, field_validator


class TracingSettings(BaseModel):
    """Tracing: where traces go, to LangSmith and to an OpenTelemetry collector."""

    langsmith_api_key: SecretStr | None = Field(
        None, description="Key of LangSmith; unset: nothing is traced."
    )
    langsmith_endpoint: str = Field(
        "https://api.smith.langchain.com", description="Server that traces are sent to."
    )
    langsmith_project: str = Field("deskgraph", description="Project that traces are filed under.")
    langsmith_web_url: str | None = Field(
        None,
        description="Where people open LangSmith, for links; unset: as the endpoint says.",
    )
    otel_endpoint: str | None = Field(
        None,
        pattern=r"^https?://\S{1,2000}$",
        description="Collector of OpenTelemetry traces, with its path, such as"
        " `http://127.0.0.1:4318/v1/traces`; needs the extra `otel`.",
    )
    otel_headers: dict[str, SecretStr] = Field(
        {}, description="Headers for that collector, such as `Authorization`."
    )
    environment: str = Field(
        "production",
        pattern=r"^[\w.-]{1,50}$",
        description="What traces call this installation, such as `production` or `staging`.",
    )
    revision: str | None = Field(
        None,
        max_length=100,
        description="What traces call the deployed code; unset: the version of deskgraph.",
    )
    trace_url: str | None = Field(
        None,
        description="Link to a trace, instead of one to LangSmith; `{trace_id}` stands for its id.",
    )
    trace_flush_seconds: float = Field(
        5, gt=0, description="Longest wait at exit for traces that are not sent yet."
    )

    @field_validator("trace_url")
    @classmethod
    def _only_trace_id(cls, value: str | None) -> str | None:
        try:
            return value if value is None else value and value.format(trace_id="{trace_id}")
        except (KeyError, IndexError, ValueError):
            raise ValueError("only {trace_id} may stand in braces") from None
