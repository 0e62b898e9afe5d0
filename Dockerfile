# Built in one stage, run in another: the image holds the environment and nothing to build with.
# Debian, not Alpine: the pinned wheels need glibc.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/deskgraph
WORKDIR /src
# The dependencies are a layer of their own: they change less often than the code.
COPY requirements.lock ./
# The lock is complete and is installed as it stands, as in the Makefile.
# Wheels only: a dependency that would need a compiler stops the build here.
RUN /opt/deskgraph/bin/pip install --only-binary :all: --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY graphs ./graphs
COPY tools ./tools
COPY migrations ./migrations
RUN /opt/deskgraph/bin/pip install --no-build-isolation --no-deps . && /opt/deskgraph/bin/pip check

FROM python:3.13-slim
COPY --from=build /opt/deskgraph /opt/deskgraph
ENV PATH=/opt/deskgraph/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DESKGRAPH_HOST=0.0.0.0 \
    DESKGRAPH_PORT=8000 \
    DESKGRAPH_LOG_JSON=true
RUN useradd --uid 10001 --create-home deskgraph
USER 10001
WORKDIR /home/deskgraph
EXPOSE 8000
# The process itself is PID 1 and heeds SIGTERM.
ENTRYPOINT ["deskgraph"]
CMD ["api"]
