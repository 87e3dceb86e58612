# The image of every process but the store; docker-compose.yml says which one a container is.
FROM python:3.11-slim-bookworm AS build

# How llama.cpp is built. The default runs on every x86-64 processor with AVX2, FMA and F16C (Intel since 2013, AMD since
# 2015) and on every 64-bit ARM. Faster, but only on machines like the one that builds:
#   docker compose build --build-arg LLAMA_CMAKE_ARGS=-DGGML_NATIVE=ON
ARG LLAMA_CMAKE_ARGS=-DGGML_NATIVE=OFF
# The address of PyTorch's packages for the CPU, as its own installation guide names it: gigabytes less than with CUDA.
ARG PIP_EXTRA_INDEX_URL=
ENV CMAKE_ARGS=$LLAMA_CMAKE_ARGS PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make \
    && rm -rf /var/lib/apt/lists/* \
    && python -m venv /opt/madoguchi
WORKDIR /source
# First what rarely changes: a change of our own code does not build llama.cpp again.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir bot workers knowledge && /opt/madoguchi/bin/pip install --constraint constraints.txt .
COPY . .
RUN /opt/madoguchi/bin/pip install --no-deps --force-reinstall .

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home madoguchi \
    && install --directory --owner=madoguchi --group=madoguchi --mode=700 /data
COPY --from=build /opt/madoguchi /opt/madoguchi
ENV PATH=/opt/madoguchi/bin:$PATH PYTHONUNBUFFERED=1 DATA_PATH=/data HOST=0.0.0.0 PORT=8000
WORKDIR /home/madoguchi
USER madoguchi
VOLUME /data
EXPOSE 8000
# For a container that serves the web (alone it is all processes); docker-compose.yml asks the others for their heartbeat.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["madoguchi"]
CMD ["run"]
