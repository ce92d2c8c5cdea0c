# The image: one for every process. Built without a secret, runs without root, writes only to its
# volume. docs/deploying.md says how to start it.
#
# Pinned by its tag here. For a build that can be repeated to the byte, give the digest of the day:
#   --build-arg PYTHON=docker.io/library/python:3.13-slim-bookworm@sha256:...
ARG PYTHON=docker.io/library/python:3.13-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv tools && python -m venv --without-pip /opt/countersign
# First what changes seldom. Wheels only: nothing that is downloaded is run here.
COPY requirements.txt requirements-build.txt ./
RUN tools/bin/python -m pip install --require-hashes --only-binary :all: -r requirements-build.txt \
 && tools/bin/python -m pip --python /opt/countersign/bin/python install \
      --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md app.py ./
COPY github_app github_app
RUN tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && tools/bin/python -m pip --python /opt/countersign/bin/python install \
      --no-deps --no-index wheels/*.whl

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Countersign" \
      org.opencontainers.image.description="Holds AI-assisted pull requests until a senior engineer has signed them off"
RUN groupadd --gid 10001 countersign \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/countersign \
      --shell /usr/sbin/nologin countersign \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/countersign
COPY --from=build /opt/countersign /opt/countersign
# The database of one machine is a file in the working directory, which is the volume. GUNICORN_CMD_ARGS:
# its heartbeat file goes to memory, so that a read-only file system will do.
ENV PATH=/opt/countersign/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    COUNTERSIGN_ROSTER=/etc/countersign/reviewers.yaml \
    GUNICORN_CMD_ARGS="--worker-tmp-dir /dev/shm"
WORKDIR /var/lib/countersign
VOLUME /var/lib/countersign
# A number: Kubernetes cannot tell from a name that it is not root.
USER 10001:10001
EXPOSE 8000
# No curl in the image. Not /readyz: it is red while GitHub is down, and a restart mends nothing then.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as http; http.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
CMD ["countersign", "serve"]
